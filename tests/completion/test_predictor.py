"""Downstream models for new patients: those of the studies, with what the studies found."""

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.completion.predictor import Predictor, reference_key, train_predictor
from tcga_coherent.datasets.checkpoint import CheckpointDataset
from tcga_coherent.downstream.task import possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.studies.rescue.experiment import draws_of_repeat, predict_repeat
from tests.studies.rescue.rescue_cohort import FORESTS, rescue_cohort, rescue_study_of

COHORT, CLINICAL, PROFILES = rescue_cohort()
TASKS = possible_tasks(chosen(["stage", "survival"]), COHORT, CLINICAL, FORESTS)
LOSSES = {"coherent/cna": {"metric": "macro_f1", "held_out_change": -0.5}}
VERDICTS = {"coherent/cna/variance_score": {"gain": 0.25, "above_random": "yes"}}
ENCODERS = {name: f"fingerprint of {name}" for name in PROFILES.modalities}


def train(task: str) -> Predictor:
    return train_predictor(
        task, TASKS.possible[task], COHORT, PROFILES, FORESTS, 0, LOSSES, VERDICTS, ENCODERS
    )


@pytest.fixture(scope="module")
def predictors() -> dict[str, Predictor]:
    return {task: train(task) for task in TASKS.possible}


@pytest.mark.parametrize("removed", [("rnaseq",), ("cna", "rppa")])
def test_pooled_predictions_of_held_out_patients_are_those_of_the_rescue_study(
    predictors: dict[str, Predictor], removed: tuple[str, ...]
) -> None:
    study = rescue_study_of(COHORT, CLINICAL, PROFILES, n_draws=4)
    found = predict_repeat(0, study)
    cell = (found["removed"] == "+".join(removed)) & (found["method"] == "coherent")
    found = found[cell & (found["pooling"] == "multiple")]
    draws = [
        PROFILES.completed(removed, "coherent", draw) for draw in draws_of_repeat(0, 2, 4, PROFILES)
    ]
    pooled = {
        task: np.mean([predictor.forest.predict(draw) for draw in draws], axis=0)
        for task, predictor in predictors.items()
    }
    rows = {
        task: PROFILES.patients.get_indexer(found.loc[found["task"] == task, "patient_id"])
        for task in pooled
    }
    risk = found.loc[found["task"] == "survival", "risk"]
    np.testing.assert_array_equal(pooled["survival"][rows["survival"], 0], risk)
    classes = np.array(predictors["stage"].forest.outputs)
    np.testing.assert_array_equal(
        classes[pooled["stage"][rows["stage"]].argmax(axis=1)],
        found.loc[found["task"] == "stage", "predicted"].astype(str),
    )


def test_references_are_the_scores_of_held_out_patients_who_lack_the_same(
    predictors: dict[str, Predictor],
) -> None:
    """Again, patient by patient: what is missing besides stays at the mean of its draws."""
    removed = ("rnaseq", "rppa")
    predictor = predictors["survival"]
    drawn = {name: PROFILES.draws_of(name, removed, "multi") for name in removed}
    means = {name: values.mean(axis=0) for name, values in drawn.items()}
    for name in removed:
        profiles = [
            np.hstack([PROFILES.real["cna"], *{**means, name: version}.values()])
            for version in drawn[name]
        ]
        predicted = np.array([predictor.forest.predict(profile)[:, 0] for profile in profiles])
        found = predictor.references[reference_key("multi", removed, name, "variance_score")]
        np.testing.assert_allclose(found, np.sort(predicted.var(axis=0, ddof=1)), rtol=1e-5)
        change = np.abs(predicted - predicted.mean(axis=0)).mean(axis=0)
        found = predictor.references[f"multi/rnaseq+rppa/{name}/expected_change"]
        np.testing.assert_allclose(found, np.sort(change), rtol=1e-5)
    # Three sets of one modality and three of two, by two methods, in two scores.
    assert len(predictor.references) == (3 * 1 + 3 * 2) * 2 * 2


def test_of_classes_only_a_change_of_the_decision_is_a_change(
    predictors: dict[str, Predictor],
) -> None:
    references = predictors["stage"].references
    assert (references["coherent/rppa/rppa/expected_change"] >= 0).all()
    assert (references["coherent/rppa/rppa/expected_change"] == 0).mean() > 0.5
    assert (references["coherent/rppa/rppa/variance_score"] > 0).mean() > 0.5


def test_a_percentile_counts_those_below_among_them_and_the_patient() -> None:
    stub = Predictor("stage", True, None, {"a": np.array([0.0, 1.0, 2.0])}, {}, {}, {})
    np.testing.assert_array_equal(
        stub.percentile("a", np.array([-1.0, 0.0, 1.5, 9.0])), [0, 0, 50, 75]
    )
    assert np.isnan(stub.percentile("b", np.array([1.0]))).all()


def test_a_predictor_is_read_from_its_file_as_it_was_and_names_nobody(
    predictors: dict[str, Predictor], tmp_path
) -> None:
    predictor = predictors["survival"]
    dataset = CheckpointDataset(filepath=str(tmp_path / "survival.safetensors"))
    dataset.save(predictor.checkpoint())
    again = Predictor.from_checkpoint(dataset.load())
    for name in ("task", "has_classes", "losses", "verdicts", "encoders"):
        assert getattr(again, name) == getattr(predictor, name)
    assert again.has_classes is False
    whole = PROFILES.whole()
    np.testing.assert_array_equal(
        again.forest.quantities(whole), predictor.forest.quantities(whole)
    )
    assert again.references.keys() == predictor.references.keys()
    for key, values in predictor.references.items():
        np.testing.assert_array_equal(again.references[key], values)
        assert (np.diff(values) >= 0).all()
    assert b"TCGA" not in (tmp_path / "survival.safetensors").read_bytes()
    thresholds = again.forest.nodes["threshold"].astype(np.float32)
    latents = pd.concat(COHORT.latents.values()).to_numpy(np.float32)
    assert np.isin(thresholds, latents).mean() < 0.01


def test_any_registered_task_has_a_predictor() -> None:
    tasks = possible_tasks(chosen(["cancer_type"]), COHORT, CLINICAL, FORESTS)
    outcomes = tasks.possible["cancer_type"]
    predictor = train_predictor(
        "cancer_type", outcomes, COHORT, PROFILES, FORESTS, 0, {}, {}, ENCODERS
    )
    assert predictor.forest.outputs == ("BRCA", "LUAD")
    np.testing.assert_allclose(predictor.forest.predict(PROFILES.whole()).sum(axis=1), 1)


def test_encoders_of_other_latents_are_refused(predictors: dict[str, Predictor]) -> None:
    predictor = predictors["stage"]
    predictor.check_encoders(ENCODERS)
    for others, named in (({"rppa": "other"}, "rppa"), ({"wsi": "new"}, "wsi")):
        with pytest.raises(ValueError, match=rf"model of stage .* other encoders of {named} than"):
            predictor.check_encoders({**ENCODERS, **others})
    with pytest.raises(ValueError, match="other encoders of rppa than"):
        predictor.check_encoders({name: ENCODERS[name] for name in ("cna", "rnaseq")})
