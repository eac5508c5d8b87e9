import io

import pandas as pd
import pytest

from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.prioritisation.acquisition import follow_acquisitions
from tcga_coherent.studies.prioritisation.figure import draw_acquisition
from tcga_coherent.studies.prioritisation.table import area_table, curve_table
from tests.studies.prioritisation.made_up_priorities import need_half, predict_all

MODALITIES = parse_modalities(
    {
        name: {"label": name.upper(), "color": "#0072B2", "steps": []}
        for name in ("cna", "rnaseq", "wsi")
    }
)


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    inputs, tasks, _ = need_half(n_train=100, n_test=40)
    repeats = predict_all(inputs)
    note = {"modality": "wsi", "patient_id": "", "note": "the cohort has no wsi", "repeat": 0}
    noted = pd.DataFrame([{**note, "task": task} for task in ("stage", "survival")])
    copied = repeats.assign(modality="cna")
    everything = pd.concat([copied, repeats, noted], ignore_index=True)
    names = ["cna", "rnaseq", "wsi"]
    followed = follow_acquisitions(everything, tasks, names, BootstrapParameters(20, 0.95), seed=0)
    return curve_table(followed, everything, 0.95), area_table(followed, everything, 0.95)


@pytest.mark.parametrize("task", ["stage", "survival"])
def test_each_modality_has_a_column_and_the_papers_come_first(tables, task) -> None:
    figure = draw_acquisition(*tables, chosen([task]), MODALITIES)
    assert figure.get_figwidth() == 7.2
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["RNASEQ", "WSI", "CNA"]
    assert len(figure.axes) == 9
    figure.savefig(io.BytesIO(), format="png")


def test_curves_are_those_of_the_table(tables) -> None:
    curves, areas = tables
    figure = draw_acquisition(curves, areas, chosen(["stage"]), MODALITIES)
    rows = curves[
        (curves["task"] == "stage")
        & (curves["modality"] == "rnaseq")
        & (curves["unacquired"] == "missing")
    ]
    drawn = {tuple(line.get_ydata()) for line in figure.axes[0].lines}
    for strategy in ("random", "coherent", "coherent_expected_change", "oracle"):
        assert tuple(rows.loc[rows["strategy"] == strategy, "score_mean"]) in drawn


def test_a_modality_that_cannot_be_evaluated_has_its_reason(tables, tmp_path) -> None:
    files = []
    for number, table in enumerate(tables):
        table.to_csv(tmp_path / f"{number}.csv", index=False)
        files.append(pd.read_csv(tmp_path / f"{number}.csv"))
    figure = draw_acquisition(*files, chosen(["survival"]), MODALITIES)
    assert len(figure.axes[0].lines) == 7
    texts = [text.get_text().replace("\n", " ") for axes in figure.axes for text in axes.texts]
    assert "the cohort has no wsi" in texts


def test_several_tasks_stand_one_below_the_other(tables) -> None:
    one = draw_acquisition(*tables, chosen(["stage"]), MODALITIES)
    both = draw_acquisition(*tables, chosen(["stage", "survival"]), MODALITIES)
    assert both.get_figheight() == 2 * one.get_figheight()
    labels = [axes.get_ylabel() for axes in both.axes if axes.get_ylabel().endswith("without it")]
    assert [label.split(",")[0] for label in labels] == ["Macro F1 of the stage", "C-index"]
