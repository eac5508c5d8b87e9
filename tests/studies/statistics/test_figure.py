import numpy as np
import pandas as pd
import pytest

from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.measures.score import Score
from tcga_coherent.measures.statistical_tests import Comparison
from tcga_coherent.studies.statistics.figure import PANELS, draw_statistics
from tcga_coherent.studies.statistics.table import statistics_table


@pytest.fixture
def table(tmp_path) -> pd.DataFrame:
    """The table as the node of the figure reads it."""
    scores = {
        "ridge_features": np.array([0.1]),
        "multi": np.array([0.2]),
        "coherent": np.array([0.4]),
    }
    scores = {
        name: Score(value, value + np.linspace(-0.01, 0.01, 5)) for name, value in scores.items()
    }
    made = statistics_table(
        [
            Comparison("reconstruction", "cna", "r2_of_mean", scores, 30),
            Comparison("reconstruction", "wsi", "r2_of_mean", scores, 30),
            Comparison("signal", "stage from cna", "macro_f1", note="no stages"),
        ],
        level=0.9,
    )
    made.to_csv(tmp_path / "table.csv", index=False)
    return pd.read_csv(tmp_path / "table.csv")


def test_differences_stand_in_the_rows_of_their_conditions(table) -> None:
    axes = draw_statistics(table, {"cna": "CNA", "wsi": "WSI"}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["CNA", "WSI"]
    marker = METHOD_STYLES["coherent"].marker
    points = [line for line in axes.get_lines() if line.get_marker() == marker]
    assert [line.get_xdata()[0] for line in points] == pytest.approx([0.3, 0.3])
    assert [round(line.get_ydata()[0]) for line in points] == [0, 1]


def test_a_panel_without_differences_gives_the_reason(table) -> None:
    figure = draw_statistics(table, {"cna": "CNA", "wsi": "WSI"})
    said = {
        panel.title: [text.get_text() for text in axes.texts]
        for panel, axes in zip(PANELS, figure.axes, strict=True)
    }
    assert said["Stage signal: F1 − measured"] == ["no stages"]
    assert said["Reconstruction: R² − ridge on features"] == []
