import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.calibration.figure import (
    draw_calibration,
    draw_calibration_by_type,
)

MODALITIES = parse_modalities(
    {
        name: {"label": name.upper(), "color": color, "steps": []}
        for name, color in [("cna", "#0072B2"), ("rnaseq", "#D55E00"), ("rppa", "#009E73")]
    }
)
TYPES = ["BRCA", "LUAD", "SKCM"]


def row(target, method, measure, cancer_type, point, nominal, value) -> dict:
    return {
        "target": target,
        "method": method,
        "source": "all the others",
        "measure": measure,
        "cancer_type": cancer_type,
        "every_type": cancer_type == "all",
        "point": point,
        "nominal": nominal,
        "value": value,
        "low": value - 0.02,
        "high": value + 0.02,
        "n_patients": 100 if cancer_type == "all" else 40,
    }


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Coverage is 3 points above nominal, spread over error 1.1, ranks are uniform."""
    rows = []
    for target in MODALITIES:
        for method in ("multi", "coherent", "ridge_features"):
            rows += [
                row(target, method, "coverage", "all", level, level / 100, level / 100 + 0.03)
                for level in (10, 50, 90)
            ]
            rows += [row(target, method, "rank", "all", rank, 0.25, 0.25) for rank in range(4)]
            for name in ("all", *TYPES):
                rows.append(row(target, method, "spread_skill", name, None, 1.0, 1.1))
                if name != "all":
                    rows.append(row(target, method, "coverage", name, 50, 0.5, 0.53))
                    rows.append(row(target, method, "coverage", name, 90, 0.9, 0.93))
            if method != "ridge_features":
                rows += [
                    row(target, method, "error_by_spread", "all", i, i / 10, i / 9)
                    for i in (6, 7, 8)
                ]
                rows.append(row(target, method, "spread_error", "all", None, np.nan, 0.42))
    return pd.DataFrame(rows).astype({"point": "Int64"})


def lines_of(axes, method: str) -> list:
    style = METHOD_STYLES[method]
    return [
        line
        for line in axes.lines
        if line.get_color() == style.color and line.get_marker() == style.marker
    ]


def grid(figure: Figure, n_rows: int) -> np.ndarray:
    return np.array(figure.axes).reshape(n_rows, len(MODALITIES))


def test_coverage_is_drawn_as_its_distance_from_nominal_in_points(table) -> None:
    for axes in grid(draw_calibration(table, MODALITIES), 3)[0]:
        (line,) = lines_of(axes, "coherent")
        assert line.get_xdata() == pytest.approx([10, 50, 90])
        assert line.get_ydata() == pytest.approx([3, 3, 3])


def test_ranks_are_drawn_relative_to_what_calibrated_draws_would_have(table) -> None:
    for axes in grid(draw_calibration(table, MODALITIES), 3)[1]:
        assert len(axes.patches) == 3
        for steps in axes.patches:
            heights, _, _ = steps.get_data()
            assert heights == pytest.approx(1)


def test_error_is_drawn_against_spread_with_its_correlation(table) -> None:
    for axes in grid(draw_calibration(table, MODALITIES), 3)[2]:
        (line,) = lines_of(axes, "multi")
        assert line.get_xdata() == pytest.approx([0.6, 0.7, 0.8])
        assert line.get_ydata() == pytest.approx([6 / 9, 7 / 9, 8 / 9])
        assert lines_of(axes, "ridge_features") == []
        labels = [text.get_text() for text in axes.get_legend().get_texts()]
        assert labels == ["ρ = 0.42", "ρ = 0.42"]


def test_each_column_is_titled_in_the_colour_of_its_target(table) -> None:
    for figure, n_rows in (
        (draw_calibration(table, MODALITIES), 3),
        (draw_calibration_by_type(table, MODALITIES), 2),
    ):
        titles = [axes.title for axes in grid(figure, n_rows)[0]]
        assert [title.get_text() for title in titles] == ["CNA", "RNASEQ", "RPPA"]
        assert [title.get_color() for title in titles] == [m.color for m in MODALITIES.values()]


def test_every_cancer_type_has_a_row_with_its_number_of_patients(table) -> None:
    figure = draw_calibration_by_type(table, MODALITIES)
    coverage, ratio = grid(figure, 2)
    labels = [label.get_text() for label in coverage[0].get_yticklabels()]
    assert labels == ["all (100)", "BRCA (40)", "LUAD (40)", "SKCM (40)"]
    for axes in coverage:
        half, most = lines_of(axes, "coherent")
        assert half.get_xdata() == pytest.approx([0.53] * 4)
        assert most.get_xdata() == pytest.approx([0.93] * 4)
    for axes in ratio:
        (line,) = lines_of(axes, "ridge_features")
        assert line.get_xdata() == pytest.approx([1.1] * 4)


def test_both_figures_can_be_written(table) -> None:
    for draw in (draw_calibration, draw_calibration_by_type):
        file = io.BytesIO()
        draw(table, MODALITIES).savefig(file, dpi=60)
        assert file.tell() > 10_000
