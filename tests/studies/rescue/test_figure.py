import io

import pandas as pd
import pytest
from matplotlib.figure import Figure

from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.rescue.figure import draw_rescue, draw_rescue_metrics
from tcga_coherent.studies.rescue.table import rescue_table
from tests.studies.rescue.made_up_rescue import (
    COST,
    FULL_SCORE,
    MODALITIES,
    made_up_scores,
    made_up_tasks,
)

PARSED = parse_modalities(
    {name: {"label": name.upper(), "color": "#0072B2", "steps": []} for name in MODALITIES}
)


def table_of(reasons=None) -> pd.DataFrame:
    tasks = made_up_tasks(reasons)
    table = rescue_table(made_up_scores(tuple(tasks.possible)), tasks, (), 0.95)
    # As a later run reads it.
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.get_axes() for text in axes.texts]


def test_each_task_has_a_panel_with_every_pattern_and_its_lines() -> None:
    figure = draw_rescue(table_of(), PARSED, "draw")
    stage, survival, marks = figure.get_axes()
    assert [a.get_title("left") for a in (stage, survival)] == ["Tumour stage", "Survival"]
    points = [line for line in stage.lines if line.get_marker() != "None"]
    assert len(points) == 6 * 7
    levels = [line.get_ydata()[0] for line in stage.lines if line.get_marker() == "None"]
    assert levels == pytest.approx([0.7, 0.6])
    ablation = [line for line in points if line.get_marker() == "X"]
    assert ablation[1].get_ydata()[0] == pytest.approx(FULL_SCORE - COST)
    missing = [line for line in marks.lines if line.get_color() == "#0072B2"]
    assert len(missing) == 3 * 1 + 3 * 2
    assert [label.get_text() for label in marks.get_yticklabels()] == ["CNA", "RNASEQ", "RPPA"]
    assert not texts_of(figure)


def test_the_other_scores_and_the_poolings_are_drawn() -> None:
    figure = draw_rescue_metrics(table_of(), PARSED, "multiple")
    axes = figure.get_axes()
    assert len(axes) == 4 + 1 + 2
    brier = axes[3]
    assert "less is better" in brier.get_ylabel()
    ablation = [line for line in brier.lines if line.get_marker() == "X"]
    assert ablation[1].get_ydata()[0] == pytest.approx(FULL_SCORE + COST)
    gains = {
        label.get_text(): line.get_xdata()[0]
        for label, line in zip(axes[5].get_yticklabels(), axes[5].lines, strict=False)
    }
    assert gains["kNN"] == pytest.approx(0.5 * COST)
    assert gains["Coherent Denoising: one draw"] == pytest.approx(COST)
    assert len(gains) == 4 + 2 * 3


def test_labels_are_legible_in_print() -> None:
    for draw in (draw_rescue, draw_rescue_metrics):
        figure = draw(table_of(), PARSED, "draw")
        assert figure.get_figwidth() == 7.2
        sizes = [
            text.get_fontsize()
            for axes in figure.get_axes()
            for text in (axes.yaxis.label, *axes.get_yticklabels(), *axes.get_xticklabels())
        ]
        assert min(sizes) >= 7


@pytest.mark.parametrize("draw", [draw_rescue, draw_rescue_metrics])
def test_a_panel_says_why_its_task_was_skipped(draw) -> None:
    reason = "no training patient has a stage"
    said = texts_of(draw(table_of({"stage": reason}), PARSED, "draw"))
    assert set(said) == {f"Not evaluated: {reason}"}


def test_without_any_task_the_figure_says_so_twice() -> None:
    reasons = {"stage": "no stage", "survival": "all censored"}
    said = texts_of(draw_rescue(table_of(reasons), PARSED, "draw"))
    assert said == ["Not evaluated: no stage", "Not evaluated: all censored"]
