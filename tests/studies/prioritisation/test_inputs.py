import re

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.profiles import TestProfiles, read_profiles
from tcga_coherent.downstream.task import possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.studies.prioritisation.inputs import (
    CounterfactualParameters,
    asked_modalities,
    counterfactual_inputs,
)

FORESTS = ForestParameters(n_trees=10, survival_min_samples_leaf=5, survival_time_unit=1)
PARAMETERS = BaselineParameters(
    ridge_alphas=(1.0, 10.0), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10,)
)


@pytest.fixture(scope="module")
def profiles(simulation) -> TestProfiles:
    cohort = simulation.cohort
    predictions = {
        name: lambda frame=frame: frame for name, frame in predict_baselines(cohort, PARAMETERS)
    }
    return read_profiles(simulation.held_out(baseline_predictions=predictions))


@pytest.fixture
def clinical(simulation) -> pd.DataFrame:
    patients = simulation.split.index
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "stage": rng.choice(["I", "II"], len(patients)),
            "os_event": rng.integers(0, 2, len(patients)),
            "os_days": rng.integers(1, 900, len(patients)),
        },
        index=patients,
    )


def gather(simulation, clinical, profiles, asked=("rnaseq", "cna"), n_counterfactuals=10):
    tasks = possible_tasks(chosen(["stage", "survival"]), simulation.cohort, clinical, FORESTS)
    return counterfactual_inputs(
        simulation.cohort, tasks, profiles, asked, n_counterfactuals, seed=0
    )


def test_forests_learn_from_complete_training_patients_alone(
    simulation, clinical, profiles
) -> None:
    cohort = simulation.cohort
    clinical.loc[cohort.train[:50], "stage"] = None
    inputs = gather(simulation, clinical, profiles)
    complete = simulation.presence.all(axis=1)
    expected = cohort.train[complete[cohort.train]]
    survival = inputs.training["survival"]
    assert set(survival.outcomes.train.index) == set(expected)
    assert np.isfinite(survival.features).all()
    stage = inputs.training["stage"]
    assert set(stage.outcomes.train.index) == set(expected.difference(cohort.train[:50]))
    np.testing.assert_allclose(
        stage.features[:, :4], cohort.latents["cna"].loc[stage.outcomes.train.index]
    )


def test_versions_come_from_the_other_modalities(simulation, clinical, profiles) -> None:
    inputs = gather(simulation, clinical, profiles)
    assert list(inputs.versions) == ["rnaseq", "cna"]
    versions = inputs.versions["rnaseq"]
    np.testing.assert_array_equal(versions["multi"], profiles.draws["rnaseq/multi/cna+rppa"])
    np.testing.assert_array_equal(versions["coherent"], profiles.draws["rnaseq/coherent/cna+rppa"])
    ridge = profiles.baselines["rnaseq/ridge_features/cna+rppa"]
    error = (versions["ridge_features"] - ridge.mean) / ridge.noise_sd
    assert error.std() == pytest.approx(1, abs=0.02)


def test_antithetic_pairs_give_independent_versions_alone(simulation, clinical, profiles) -> None:
    draws = {name: values[:18] for name, values in profiles.draws.items()}
    pairs = TestProfiles(profiles.patients, profiles.real, draws, profiles.baselines, True)
    inputs = gather(simulation, clinical, pairs, n_counterfactuals=9)
    assert {len(values) for values in inputs.versions["cna"].values()} == {9}
    short = gather(simulation, clinical, pairs, n_counterfactuals=10)
    assert not short.training
    assert not short.versions
    assert set(short.obstacles.values()) == {
        "10 counterfactuals need as many independent draws, there are 9: raise "
        "coherent_sampling.n_draws or lower evaluation.counterfactual.n_counterfactuals"
    }


@pytest.mark.parametrize(
    ("change", "task", "reason"),
    [
        ({"stage": None}, "stage", "no training patient has a stage"),
        ({"stage": "II"}, "stage", "training patients have the stage II"),
        ({"os_event": 0}, "survival", "training patients are censored"),
        ({"os_days": np.nan}, "survival", "the survival of no training patient is known"),
    ],
)
def test_a_task_without_outcomes_is_left_out_with_its_reason(
    simulation, clinical, profiles, change, task, reason
) -> None:
    inputs = gather(simulation, clinical.assign(**change), profiles)
    assert set(inputs.obstacles) == {(task, "rnaseq"), (task, "cna")}
    assert all(reason in found for found in inputs.obstacles.values())
    assert len(inputs.training) == 1
    assert set(inputs.versions) == {"rnaseq", "cna"}


def test_an_absent_modality_is_left_out_and_the_others_are_not(
    simulation, clinical, profiles
) -> None:
    inputs = gather(simulation, clinical, profiles, asked=["wsi", "cna"])
    assert inputs.obstacles == {
        ("stage", "wsi"): "the cohort has no wsi",
        ("survival", "wsi"): "the cohort has no wsi",
    }
    assert list(inputs.versions) == ["cna"]


def test_without_complete_training_patients_there_is_no_forest(
    simulation, clinical, profiles
) -> None:
    cohort = simulation.cohort
    cohort.latents["cna"] = cohort.latents["cna"].drop(cohort.train, errors="ignore")
    tasks = possible_tasks(chosen(["stage", "survival"]), cohort, clinical, FORESTS)
    inputs = counterfactual_inputs(cohort, tasks, profiles, ["cna"], 10, seed=0)
    assert set(inputs.obstacles.values()) == {"no training patient has every modality"}


def test_modalities_are_asked_for_by_name_or_all() -> None:
    known = ["cna", "rnaseq", "wsi"]
    assert asked_modalities(CounterfactualParameters(10), known) == known
    named = CounterfactualParameters(10, ("wsi", "cna", "wsi"))
    assert asked_modalities(named, known) == ["wsi", "cna"]


def test_an_unknown_modality_is_an_error_that_names_the_key() -> None:
    message = (
        "evaluation.counterfactual.modalities names rna, but the parameter modalities has only "
        "cna, rnaseq."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        asked_modalities(CounterfactualParameters(10, ("rna",)), ["cna", "rnaseq"])
