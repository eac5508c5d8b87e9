from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

from tcga_coherent.figures.drawing import draw_reason, render, settle, write_dollars


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


class InexactLayout(ConstrainedLayoutEngine):
    """A solver whose rounding errors differ each time, as they do from process to process."""

    def execute(self, fig) -> None:
        super().execute(fig)
        for part in fig.subfigs:
            part.bbox_relative.set_points(part.bbox_relative.get_points() + 1e-13 * self.sign)
        for axes in fig.axes:
            points = axes.get_position(original=True).get_points()
            axes._set_position(Bbox(points + 1e-13 * self.sign))


def laid_out(sign: int) -> Figure:
    """Draw markers, clips, a collection, an image, a hatch, a colour bar and a part of a figure."""
    figure = Figure(figsize=(5, 4), layout=InexactLayout())
    figure.get_layout_engine().sign = sign
    left, right = figure.subfigures(1, 2)
    axes = left.add_subplot()
    axes.plot([0, 1], [1, 0], marker="o")
    axes.scatter([0, 1, 2], [0, 1, 2], marker="^")
    axes.set_xlim(0.2, 0.8)
    axes = right.add_subplot()
    right.colorbar(axes.imshow(np.eye(3), aspect="auto"), ax=axes)
    axes.bar([0], [1], hatch="/")
    figure.legend(handles=axes.patches[:1], labels=["bar"], loc="outside upper center")
    return figure


def test_rounding_errors_of_a_layout_change_no_byte() -> None:
    options = {"bbox_inches": "tight"}
    one, another = (render(partial(laid_out, sign), options) for sign in (-1, 1))
    assert one == another


def test_a_figure_that_is_drawn_keeps_its_layout() -> None:
    figure, settled = laid_out(0), laid_out(0)
    figure.draw_without_rendering()
    settle(settled)
    settled.draw_without_rendering()
    for axes, other in zip(figure.axes, settled.axes, strict=True):
        expected = axes.get_tightbbox().get_points()
        np.testing.assert_allclose(other.get_tightbbox().get_points(), expected, atol=0.01)
        assert other.get_in_layout()


def test_a_reason_is_all_that_a_figure_says_where_there_is_none() -> None:
    assert [text.get_text() for text in draw_reason("too few patients").texts] == [
        "too few patients"
    ]
