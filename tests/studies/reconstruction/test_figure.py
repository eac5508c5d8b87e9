import io
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.source_sets import (
    generative_methods,
    join_sources,
    source_sets,
)
from tcga_coherent.studies.reconstruction.figure import draw_reconstruction

LABELS = {"cna": "CNA", "rnaseq": "RNA-Seq", "rppa": "RPPA"}
MORE_LABELS = {**LABELS, "wsi": "WSI", "methylation": "Methylation"}


def made_up_table(labels) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        {"target": target, "method": method, "source": join_sources(sources)}
        for target in labels
        for sources in source_sets(target, list(labels))
        for method in generative_methods(sources) + tuple(BASELINES)
    ]
    table = pd.DataFrame(rows)
    r2 = rng.uniform(0, 0.8, len(table))
    return table.assign(
        r2_of_mean=r2,
        r2_of_mean_low=r2 - 0.05,
        r2_of_mean_high=r2 + 0.05,
        coverage_50=0.4,
        coverage_90=0.8,
        nominal_50=0.5,
        nominal_90=0.9,
        n_draws=20,
        paper_r2_mean=np.where(table["method"] == "single", -0.3, np.nan),
    )


def points(axes, color: str, marker: str) -> list[float]:
    """Horizontal positions of the points of a style."""
    return [
        float(line.get_xdata()[0])
        for line in axes.lines
        if line.get_color() == color and line.get_marker() == marker
    ]


def test_each_target_has_a_panel_that_shows_every_row_at_its_value() -> None:
    table = made_up_table(LABELS)
    figure = draw_reconstruction(table, LABELS)
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels)[:3] == ["CNA", "RNA-Seq", "RPPA"]
    for target, label in LABELS.items():
        for method, style in METHOD_STYLES.items():
            rows = table[(table["target"] == target) & (table["method"] == method)]
            drawn = points(panels[label], style.color, style.marker)
            assert sorted(drawn) == pytest.approx(sorted(rows["r2_of_mean"]))


def test_the_papers_values_are_open_markers_with_a_label_that_says_so() -> None:
    figure = draw_reconstruction(made_up_table(LABELS), LABELS)
    opened = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "none"]
    assert [float(line.get_xdata()[0]) for line in opened] == [-0.3, -0.3]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "Paper: R² of single draws (another cohort)" in labels
    assert "R² of the mean of 20 draws, bootstrap interval" in labels


def test_without_reported_values_the_legend_does_not_mention_the_paper() -> None:
    figure = draw_reconstruction(made_up_table(LABELS).assign(paper_r2_mean=np.nan), LABELS)
    assert not any("Paper" in text.get_text() for text in figure.legends[0].get_texts())


def test_coverage_panels_show_methods_with_all_sources_against_the_nominal_level() -> None:
    table = made_up_table(LABELS).assign(nominal_90=0.818)
    figure = draw_reconstruction(table, LABELS)
    axes = figure.axes[-1]
    assert axes.get_title() == "Coverage of the 82% interval, all sources"
    coherent = METHOD_STYLES["coherent"]
    assert points(axes, coherent.color, coherent.marker) == [0.8] * 3
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == [0.818]


@pytest.mark.parametrize("labels", [LABELS, MORE_LABELS])
def test_names_of_source_sets_neither_overlap_nor_leave_the_page(labels) -> None:
    figure = draw_reconstruction(made_up_table(labels), labels)
    figure.savefig(io.BytesIO(), dpi=100)
    width, height = figure.get_size_inches() * 100
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
        assert all(box.x0 >= 0 and box.y1 <= height and box.x1 <= width for box in boxes)
        boxes.sort(key=lambda box: box.y0)
        assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))
