import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.forests import fit_survival_forest
from tcga_coherent.downstream.profiles import training_profiles
from tcga_coherent.downstream.task import PossibleTasks, possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tests.studies.rescue.rescue_cohort import FORESTS, N_TEST, N_TRAIN, rescue_cohort

COHORT, CLINICAL, PROFILES = rescue_cohort()


def tasks_of(clinical: pd.DataFrame, cohort: Cohort = COHORT) -> PossibleTasks:
    return possible_tasks(chosen(["stage", "survival"]), cohort, clinical, FORESTS)


def test_forests_learn_from_training_patients_who_have_every_modality() -> None:
    clinical = CLINICAL.copy()
    clinical.loc[COHORT.train[20], "stage"] = None
    clinical.loc[COHORT.test[3], ["os_event", "os_days"]] = np.nan
    tasks = tasks_of(clinical)
    stage, survival = tasks.possible["stage"], tasks.possible["survival"]
    assert len(stage.train) == N_TRAIN - 10 - 1
    assert len(survival.train) == N_TRAIN - 10
    assert stage.train.index.isin(COHORT.train).all()
    assert list(stage.test.index) == list(COHORT.test)
    assert len(survival.test) == N_TEST - 1
    assert not tasks.reasons


@pytest.mark.parametrize(
    ("change", "task", "reason"),
    [
        ({"stage": None}, "stage", "no training patient has a stage"),
        ({"stage": "II"}, "stage", "all 230 training patients have the stage II"),
        ({"os_event": 0.0}, "survival", "all 230 training patients are censored"),
        ({"os_days": np.nan}, "survival", "the survival of no training patient is known"),
    ],
)
def test_a_task_that_a_cohort_lacks_is_skipped_with_its_reason(
    change, task, reason, caplog
) -> None:
    tasks = tasks_of(CLINICAL.assign(**change))
    assert tasks.reasons == {task: reason}
    assert len(tasks.possible) == 1
    assert f"{task}: skipped, as {reason}" in caplog.text


def test_training_patients_must_be_followed_for_different_times() -> None:
    clinical = CLINICAL.copy()
    clinical.loc[COHORT.train, "os_days"] = 5.0
    reason = "all 230 training patients are followed equally long, in units of 30 days"
    assert tasks_of(clinical).reasons == {"survival": reason}


def test_without_complete_training_patients_both_tasks_are_skipped() -> None:
    latents = {**COHORT.latents, "rppa": COHORT.latents["rppa"].drop(COHORT.train[10:])}
    cohort = Cohort(latents, COHORT.train, COHORT.val, COHORT.test, COHORT.cancer_type)
    reason = "no training patient has every modality"
    assert tasks_of(CLINICAL, cohort).reasons == {"stage": reason, "survival": reason}


def test_one_modality_can_not_be_completed() -> None:
    cohort = Cohort(
        {"cna": COHORT.latents["cna"]}, COHORT.train, COHORT.val, COHORT.test, COHORT.cancer_type
    )
    assert "only one modality" in tasks_of(CLINICAL, cohort).reasons["survival"]


def test_predicted_stages_are_those_of_the_forest() -> None:
    task = tasks_of(CLINICAL).possible["stage"]
    features = training_profiles(COHORT, task.train.index)
    forest = RandomForestClassifier(FORESTS.n_trees, random_state=3).fit(features, task.train)
    predicted = task.fit(features, FORESTS, seed=3).quantities(PROFILES.whole())
    found = task.kept(predicted)["predicted"]
    np.testing.assert_array_equal(found, forest.predict(PROFILES.whole()))


def test_survival_is_read_from_the_step_functions_of_the_forest() -> None:
    task = tasks_of(CLINICAL).possible["survival"]
    features = training_profiles(COHORT, task.train.index)
    predicted = task.fit(features, FORESTS, seed=3).quantities(PROFILES.whole())
    forest = fit_survival_forest(features, task.train, FORESTS, seed=3)
    np.testing.assert_allclose(predicted[:, 0], forest.predict(PROFILES.whole()))
    months = task.times / FORESTS.survival_time_unit
    first, last = forest.unique_times_[[0, -1]]
    inside = (months >= first) & (months <= last)
    assert inside.sum() > 5
    functions = forest.predict_survival_function(PROFILES.whole())
    expected = np.array([function(np.round(months[inside])) for function in functions])
    np.testing.assert_allclose(predicted[:, 1:][:, inside], expected)
    np.testing.assert_array_equal(predicted[:, 1:][:, months < first], 1)


def test_too_few_times_leave_out_the_brier_score_alone() -> None:
    """Everyone dies after one day or after forty: a single whole unit lies between."""
    clinical = CLINICAL.assign(os_event=1.0)
    clinical["os_days"] = np.where(np.arange(len(clinical)) % 2, 1.0, 40.0)
    task = tasks_of(clinical).possible["survival"]
    predict = task.fit(training_profiles(COHORT, task.train.index), FORESTS, seed=3).quantities
    columns = task.kept(predict(PROFILES.whole()))
    assert np.isnan(columns["integrated_brier"]).all()
    assert np.isfinite(columns["risk"]).all()
