import re
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from tcga_coherent.evaluation.drawing import render, write_dollars


def labelled(name: str, escaped: str | None = None) -> Figure:
    """Draw a name wherever a figure can have one."""
    figure = Figure(figsize=(5, 4))
    axes = figure.add_subplot()
    axes.plot([0, 1], [1, 10], label=name)
    axes.set_xticks([0, 1], [escaped or name, "x"])
    axes.set_title(name)
    axes.set_ylabel(name)
    axes.annotate(name, (0.5, 5))
    figure.legend()
    figure.text(0, 0, name)
    return figure


@pytest.mark.parametrize("name", ["$a", "$a$", "a$\\alpha_1$b", "$\\nonsense$", "US$ {1$"])
def test_dollars_in_names_are_drawn_as_they_are(name) -> None:
    plain = labelled(name.replace("$", r"\$"))
    found = labelled(name)
    write_dollars(found)
    for figure in (plain, found):
        figure.draw_without_rendering()
    # A single escaped dollar is no formula: what is drawn is one glyph a letter.
    sizes = [
        [text.get_window_extent().width for text in figure.texts + figure.axes[0].texts]
        for figure in (plain, found)
    ]
    assert sizes[0] == pytest.approx(sizes[1])
    assert render(lambda: labelled(name), {})


def test_the_labels_of_logarithmic_axes_stay_formulas() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.loglog([1, 1000], [1, 10])
    write_dollars(figure)
    figure.draw_without_rendering()
    labels = [label for label in axes.get_xticklabels() if label.get_text()]
    assert labels
    assert all(label.get_parse_math() and "10^{" in label.get_text() for label in labels)


def hatched(shift: float) -> Figure:
    """Draw with markers, clips, a collection, an image and a hatch; `shift` moves the panel."""
    figure = Figure(figsize=(4, 3))
    axes = figure.add_axes((0.1 + shift, 0.1, 0.5, 0.5))
    axes.plot([0, 1], [1, 0], marker="o")
    axes.scatter([0, 1, 2], [0, 1, 2], marker="^")
    axes.imshow(np.eye(3), aspect="auto")
    axes.bar([0], [1], hatch="/")
    axes.set_xlim(0.2, 0.8)
    return figure


def test_a_rounding_error_in_a_layout_changes_no_byte() -> None:
    # Positions of the solver of layouts differ by that much from process to process.
    exact, moved = (render(partial(hatched, shift), {}) for shift in (0.0, 1e-14))
    assert exact == moved


def test_every_element_that_is_used_is_defined_and_named_once() -> None:
    _, svg = render(partial(hatched, 0.0), {})
    names = re.findall(rb' id="(element\d+)"', svg)
    assert len(names) == len(set(names)) > 3
    used = re.findall(rb'(?:href="#|url\(#)(element\d+)', svg)
    assert set(used) == set(names)
    ElementTree.fromstring(svg)
