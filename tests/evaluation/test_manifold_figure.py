import numpy as np
import pandas as pd
import pytest

from tcga_coherent.evaluation.manifold_figure import draw_manifolds

TYPES = pd.Series(np.repeat([f"T{i:02d}" for i in range(20)], 5))
RNG = np.random.default_rng(0)
PROJECTIONS = {name: RNG.standard_normal((100, 2)) for name in ("real", "multi", "coherent")}
NUMBERS = pd.DataFrame(
    {
        "set": ["real", "multi", "coherent"],
        "type_agreement": [0.9, 0.8, 0.7],
        "energy_distance": [0.0, 0.31, 0.02],
    }
)


@pytest.fixture(scope="module")
def figure():
    return draw_manifolds(PROJECTIONS, TYPES, NUMBERS)


def test_panels_share_their_axes_and_are_named_after_their_set(figure) -> None:
    assert [axes.get_title() for axes in figure.axes] == [
        "Real",
        "Multi-condition",
        "Coherent Denoising",
    ]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_every_patient_is_drawn_where_the_projection_puts_it(figure) -> None:
    for axes, points in zip(figure.axes, PROJECTIONS.values(), strict=True):
        drawn = np.vstack([collection.get_offsets() for collection in axes.collections])
        np.testing.assert_array_equal(drawn, points)


def test_twenty_types_are_in_the_legend_with_looks_of_their_own(figure) -> None:
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == sorted(set(TYPES))
    looks = {(line.get_color(), line.get_marker()) for line in legend.get_lines()}
    assert len(looks) == 20


def test_the_numbers_stand_below_their_panel(figure) -> None:
    assert figure.axes[0].get_xlabel().startswith("same-type neighbours: 90%\n")
    assert figure.axes[1].get_xlabel() == "same-type neighbours: 80%\nenergy distance to real: 0.31"
