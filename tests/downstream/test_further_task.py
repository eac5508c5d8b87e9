"""A task that the project does not have: one object, and its name."""

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn.metrics import f1_score

from tcga_coherent.downstream.classification import ClassificationTask
from tcga_coherent.downstream.task import possible_tasks
from tcga_coherent.downstream.tasks import TASKS, TaskName, chosen
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.prioritisation.acquisition import follow_acquisitions
from tcga_coherent.studies.prioritisation.experiment import predict_repeat as predict_versions
from tcga_coherent.studies.prioritisation.figure import draw_acquisition
from tcga_coherent.studies.prioritisation.inputs import counterfactual_inputs
from tcga_coherent.studies.prioritisation.ranking import ranking_table
from tcga_coherent.studies.prioritisation.table import area_table, curve_table
from tcga_coherent.studies.rescue.experiment import predict_repeat, rescue_study
from tcga_coherent.studies.rescue.figure import draw_rescue, draw_rescue_metrics
from tcga_coherent.studies.rescue.scores import score_rescue
from tcga_coherent.studies.rescue.table import headline_rows, rescue_table
from tcga_coherent.studies.rescue.verdict import rescue_verdict
from tcga_coherent.studies.statistics.downstream import rescue_comparisons
from tcga_coherent.studies.statistics.figure import draw_statistics
from tcga_coherent.studies.statistics.table import statistics_table
from tests.studies.rescue.rescue_cohort import FORESTS, MODALITIES, rescue_cohort

COHORT, CLINICAL, PROFILES = rescue_cohort()
BOOTSTRAP = BootstrapParameters(20, 0.9)
GRADE = ClassificationTask("grade", "grade", "Grade", curve_label="Macro F1 of the grade")
LABELS = parse_modalities(
    {name: {"label": name.upper(), "color": "#0072B2", "steps": []} for name in MODALITIES}
)
# The second dimension of copy number decides it, and half of it is known.
CLINICAL["grade"] = np.where(COHORT.latents["cna"]["z01"] > 0, "high", "low")


@pytest.fixture
def tasks(monkeypatch):
    monkeypatch.setitem(TASKS, "grade", GRADE)
    return possible_tasks(chosen(["grade", "survival"]), COHORT, CLINICAL, FORESTS)


def test_incomplete_patients_are_rescued_for_a_task_that_was_registered(tasks) -> None:
    study = rescue_study(COHORT, tasks, PROFILES, FORESTS, n_draws=2, n_repeats=2, seed=0)
    predictions = pd.concat([predict_repeat(i, study).assign(repeat=i) for i in range(2)])
    scores = score_rescue(predictions, tasks, BOOTSTRAP, seed=0)
    table = rescue_table(scores, tasks, [], BOOTSTRAP.level)
    own = headline_rows(table)
    own = own[(own["task"] == "grade") & (own["pooling"] == "point")]
    own = own.set_index(["removed", "method"])
    real = predictions[
        (predictions["task"] == "grade") & (predictions["method"] == "real")
    ].set_index("patient_id")
    expected = [
        f1_score(CLINICAL.loc[rows.index, "grade"], rows["predicted"].astype(str), average="macro")
        for _, rows in real.groupby("repeat")
    ]
    assert own.loc[("none", "real"), "score_mean"] == pytest.approx(np.mean(expected))
    # Without copy number and its copy, expression, nothing says the grade.
    assert own.loc[("none", "real"), "score_mean"] > 0.8
    assert own.loc[("cna+rnaseq", "ablation"), "score_mean"] < 0.7
    verdict = rescue_verdict(scores, tasks, BOOTSTRAP.level)
    assert set(verdict["metric"]) == {"macro_f1", "c_index"}
    for draw in (draw_rescue, draw_rescue_metrics):
        titles = [axes.get_title("left") for axes in draw(table, LABELS, "draw").axes]
        assert {"Grade", "Survival"} <= set(titles)
    comparisons = rescue_comparisons(predictions, tasks, "draw", BOOTSTRAP, 0)
    tests = statistics_table(comparisons, BOOTSTRAP.level)
    titles = [axes.get_title("right") for axes in draw_statistics(tests, {}).axes]
    assert "Grade rescue: F1 − ablation" in titles


def test_whom_to_measure_is_asked_for_a_task_that_was_registered(tasks) -> None:
    inputs = counterfactual_inputs(COHORT, tasks, PROFILES, ["cna"], 4, seed=0)
    repeats = pd.concat(
        [predict_versions(i, inputs, FORESTS, seed=0).assign(repeat=i) for i in range(2)]
    )
    acquisitions = follow_acquisitions(repeats, tasks, ["cna"], BOOTSTRAP, seed=0)
    assert [one.metric for one in acquisitions if one.task == "grade"] == ["macro_f1"] * 2
    areas = area_table(acquisitions, repeats, BOOTSTRAP.level)
    oracle = areas[(areas["task"] == "grade") & (areas["strategy"] == "oracle")]
    assert (oracle["area_mean"] > 0).all()
    curves = curve_table(acquisitions, repeats, BOOTSTRAP.level)
    ends = curves[(curves["task"] == "grade") & (curves["ratio"] == 1)]["score_mean"]
    expected = []
    for _, rows in repeats[repeats["task"] == "grade"].groupby("repeat"):
        truth = CLINICAL.loc[rows["patient_id"], "grade"]
        predicted = np.where(rows["real/high"] > 0.5, "high", "low")
        expected.append(f1_score(truth, predicted, average="macro"))
    np.testing.assert_allclose(ends, np.mean(expected))
    ranking = ranking_table(repeats, chosen(["grade", "survival"]), COHORT.cancer_type, ["cna"])
    assert set(ranking[ranking["task"] == "grade"]["predicted_grade"]) == {"high", "low"}
    figure = draw_acquisition(curves, areas, [GRADE], LABELS)
    assert figure.axes[0].get_ylabel() == "Macro F1 of the grade,\nothers without it"


def test_a_cohort_without_the_column_says_so(monkeypatch) -> None:
    monkeypatch.setitem(TASKS, "grade", GRADE)
    found = possible_tasks(
        chosen(["grade", "stage"]), COHORT, CLINICAL.drop(columns="grade"), FORESTS
    )
    assert found.reasons == {"grade": "the clinical table has no column grade"}
    assert list(found.possible) == ["stage"]


def test_a_name_that_is_no_task_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match="no task 'grad': there are cancer_type, stage"):
        TypeAdapter(TaskName).validate_python("grad")
