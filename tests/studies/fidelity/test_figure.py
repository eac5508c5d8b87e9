import numpy as np
import pandas as pd
import pytest

from tcga_coherent.studies.fidelity.figure import draw_manifolds

TYPES = pd.Series(np.repeat([f"T{i:02d}" for i in range(20)], 5))
RNG = np.random.default_rng(0)
SETS = ("real", "multi", "coherent")
LABELS = {"cna": "CNA", "rppa": "RPPA"}
PROJECTIONS = {
    space: {name: scale * RNG.standard_normal((100, 2)) for name in SETS}
    for space, scale in (("cna", 1.0), ("rppa", 9.0))
}
NUMBERS = pd.DataFrame(
    [
        {"space": space, "set": name, "reading": reading, "type_agreement": agreement + extra}
        for space, extra in (("cna", 0.0), ("rppa", -0.5))
        for name, reading, agreement in [
            ("real", "measured", 0.9),
            ("multi", "draw", 0.8),
            ("coherent", "draw", 0.7),
            ("multi", "mean", 0.1),
        ]
    ]
).assign(energy_distance=0.31, precision=0.62, recall=0.71, trustworthiness=0.93)


@pytest.fixture(scope="module")
def figure():
    return draw_manifolds(PROJECTIONS, TYPES, NUMBERS, LABELS)


def test_columns_are_named_after_their_set_and_rows_after_their_space(figure) -> None:
    assert [axes.get_title() for axes in figure.axes[:3]] == [
        "Real",
        "Multi-condition",
        "Coherent Denoising",
    ]
    assert [axes.get_ylabel() for axes in figure.axes] == ["CNA", "", "", "RPPA", "", ""]


def test_panels_of_a_space_share_their_axes_with_no_other_space(figure) -> None:
    for own in (figure.axes[:3], figure.axes[3:]):
        assert len({axes.get_xlim() for axes in own}) == 1
        assert len({axes.get_ylim() for axes in own}) == 1
    assert figure.axes[3].get_xlim()[1] > 3 * figure.axes[0].get_xlim()[1]


def test_every_patient_is_drawn_where_the_projection_puts_it(figure) -> None:
    every = [points for own in PROJECTIONS.values() for points in own.values()]
    for axes, points in zip(figure.axes, every, strict=True):
        drawn = np.vstack([collection.get_offsets() for collection in axes.collections])
        np.testing.assert_array_equal(drawn, points)


def test_twenty_types_are_in_the_legend_with_looks_of_their_own(figure) -> None:
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == sorted(set(TYPES))
    looks = {(line.get_color(), line.get_marker()) for line in legend.get_lines()}
    assert len(looks) == 20


def test_the_numbers_stand_below_their_panel(figure) -> None:
    assert figure.axes[0].get_xlabel() == (
        "same-type neighbours: 90%\nmap fitted on training patients\ntrustworthiness: 0.93"
    )
    assert figure.axes[4].get_xlabel() == (
        "same-type neighbours: 30%\nprecision 0.62, recall 0.71\nenergy distance to real: 0.31"
    )
