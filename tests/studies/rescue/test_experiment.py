from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from tcga_coherent.measures.statistical_tests import paired_t_test
from tcga_coherent.studies.rescue.experiment import (
    draws_of_repeat,
    drop_modalities,
    predict_repeat,
)
from tests.studies.rescue.rescue_cohort import (
    N_DRAWS,
    N_TEST,
    rescue_cohort,
    rescue_study_of,
)

COHORT, CLINICAL, PROFILES = rescue_cohort()
CELL = ["task", "removed", "method", "pooling"]


@pytest.fixture(scope="module")
def study():
    return rescue_study_of(COHORT, CLINICAL, PROFILES)


@pytest.fixture(scope="module")
def predictions(study) -> pd.DataFrame:
    return predict_repeat(0, study)


def f1_of(predictions: pd.DataFrame, removed: str, method: str, pooling: str = "point") -> float:
    own = _own(predictions, "stage", removed, method, pooling)
    return f1_score(CLINICAL.loc[own.index, "stage"], own["predicted"], average="macro")


def _own(predictions, task, removed, method, pooling="point") -> pd.DataFrame:
    chosen = (predictions[CELL] == [task, removed, method, pooling]).all(axis=1)
    own = predictions[chosen].set_index("patient_id")
    assert len(own) == N_TEST
    return own


def test_every_pattern_and_way_to_complete_it_is_predicted_once(predictions) -> None:
    per_pattern = 5 + 1 + 2 * 3  # points, modality dropout, generators with three poolings
    cells = 6 * per_pattern + 3
    assert len(predictions.drop_duplicates(CELL)) == 2 * cells
    assert not predictions.duplicated([*CELL, "patient_id"]).any()
    assert len(predictions) == 2 * cells * N_TEST
    stage = predictions["task"] == "stage"
    assert predictions.loc[stage, "predicted"].notna().all()
    assert predictions.loc[~stage, ["risk", "integrated_brier"]].notna().all(axis=None)
    assert predictions.loc[stage, "risk"].isna().all()


def test_losing_the_modality_that_decides_costs_and_its_twin_gives_it_back(predictions) -> None:
    full = f1_of(predictions, "none", "real")
    assert full > 0.9
    ablation = f1_of(predictions, "cna+rnaseq", "ablation")
    assert ablation < full - 0.3
    lost = f1_of(predictions, "cna", "ablation")
    for method, pooling in (("ridge", "point"), ("coherent", "mean_of_draws"), ("multi", "draw")):
        assert f1_of(predictions, "cna", method, pooling) > lost + 0.02
    # What decides nothing may be missing, and a mean tells nothing of what decides.
    assert f1_of(predictions, "rppa", "ablation") > full - 0.05
    assert f1_of(predictions, "cna+rnaseq", "mean") < full - 0.3
    assert f1_of(predictions, "all", "cancer_type") < full - 0.3


def test_draws_of_other_patients_give_nothing_back(predictions) -> None:
    shuffled = {name: values[:, ::-1] for name, values in PROFILES.draws.items()}
    wrong = predict_repeat(0, rescue_study_of(COHORT, CLINICAL, replace(PROFILES, draws=shuffled)))
    for pooling in ("draw", "mean_of_draws", "multiple"):
        right = f1_of(predictions, "cna", "coherent", pooling)
        assert f1_of(wrong, "cna", "coherent", pooling) < right - 0.15


def test_a_forest_that_learns_noise_is_right_by_chance_alone() -> None:
    """Test patients whom the forest had seen would be predicted right."""
    labels = np.random.default_rng(1).choice(["I", "II"], len(CLINICAL))
    noise = predict_repeat(0, rescue_study_of(COHORT, CLINICAL.assign(stage=labels), PROFILES))
    own = _own(noise, "stage", "none", "real")
    truth = pd.Series(labels, CLINICAL.index)[own.index]
    assert 0.35 < (own["predicted"].astype(str) == truth).mean() < 0.65


def test_predictions_know_neither_what_was_removed_nor_the_outcome(predictions) -> None:
    real = {**PROFILES.real, "cna": PROFILES.real["cna"][::-1]}
    clinical = CLINICAL.copy()
    clinical.loc[COHORT.test] = CLINICAL.loc[COHORT.test[::-1]].to_numpy()
    other = predict_repeat(0, rescue_study_of(COHORT, clinical, replace(PROFILES, real=real)))
    without = [name for name in predictions["removed"].unique() if "cna" in name]
    assert len(without) == 3
    for column in ("predicted", "risk"):
        same, changed = (
            frame[frame["removed"].isin(without)][column].astype(object)
            for frame in (predictions, other)
        )
        pd.testing.assert_series_equal(same, changed)
    whole = predictions["removed"] == "none"
    assert (predictions["risk"] != other["risk"])[whole & predictions["risk"].notna()].any()


def test_risk_is_higher_for_those_who_die_early(predictions) -> None:
    own = _own(predictions, "survival", "none", "real")
    assert np.corrcoef(own["risk"], COHORT.latents["cna"].loc[own.index, "z00"])[0, 1] > 0.7


def test_a_repeat_takes_its_draw_and_pools_it_with_those_that_no_other_repeat_has() -> None:
    marked = {
        name: np.arange(N_DRAWS)[:, None, None] + np.zeros_like(values)
        for name, values in PROFILES.draws.items()
    }
    seen = []

    class Recorder:
        train, test = CLINICAL.loc[COHORT.train[10:]], CLINICAL.loc[COHORT.test]

        def fit(self, features, forests, seed):
            return self

        def quantities(self, rows):
            seen.append(rows)
            return rows

        def kept(self, predicted):
            return {"risk": predicted[:, 0]}

    study = rescue_study_of(COHORT, CLINICAL, replace(PROFILES, draws=marked), 4, n_repeats=2)
    study = replace(study, tasks=replace(study.tasks, possible={"survival": Recorder()}))
    predictions = predict_repeat(1, study)
    risk = {
        pooling: _own(predictions, "survival", "cna", "multi", pooling)["risk"].unique()
        for pooling in ("draw", "multiple", "mean_of_draws")
    }
    assert risk == {
        "draw": [1],
        "multiple": [np.mean([1, 3, 5, 7])],
        "mean_of_draws": [np.mean(range(N_DRAWS))],
    }


@pytest.mark.parametrize(("antithetic", "n_draws"), [(False, 4), (True, 4), (True, 3)])
def test_no_two_repeats_share_a_draw(antithetic, n_draws) -> None:
    profiles = replace(PROFILES, antithetic=antithetic)
    taken = [draws_of_repeat(repeat, 2, n_draws, profiles) for repeat in range(2)]
    assert [len(draws) for draws in taken] == [n_draws, n_draws]
    # Draw k and k + 4 are a pair, which may not be split up between repeats.
    groups = [{draw % (4 if antithetic else 8) for draw in draws} for draws in taken]
    assert not groups[0] & groups[1]
    assert [draws[0] for draws in taken] == [0, 1]


def test_a_paired_test_of_pooled_predictions_rejects_as_often_as_it_says() -> None:
    """Two generators of one law: a 5 % test over repeats must reject in 5 %, whatever is pooled."""
    random, rejected, n_trials = np.random.default_rng(0), 0, 2000
    profiles = replace(PROFILES, draws={"x": np.empty((40, 1, 1))}, antithetic=True)
    taken = [draws_of_repeat(repeat, 10, 4, profiles) for repeat in range(10)]
    for _ in range(n_trials):
        half = random.standard_normal((2, 20))
        # A score that is no linear function of the draws, so that pairs do not cancel.
        score = np.exp(np.concatenate([half, -half], axis=1) / 2)
        first, second = (np.array([own[draws].mean() for draws in taken]) for own in score)
        rejected += paired_t_test(first, second)["p"] < 0.05
    # Three standard deviations of a share of 5 % are 1.5 %.
    assert rejected / n_trials == pytest.approx(0.05, abs=0.015)


def test_repeats_differ_and_the_same_repeat_does_not(study, predictions) -> None:
    again, other = predict_repeat(0, study), predict_repeat(1, study)
    pd.testing.assert_frame_equal(predictions, again)
    assert (predictions["risk"] != other["risk"]).any()


def test_a_skipped_task_leaves_the_other() -> None:
    found = predict_repeat(0, rescue_study_of(COHORT, CLINICAL.assign(stage=None), PROFILES))
    assert set(found["task"]) == {"survival"}
    nothing = rescue_study_of(COHORT, CLINICAL.assign(stage=None, os_event=0.0), PROFILES)
    assert predict_repeat(0, nothing).empty


@pytest.mark.parametrize(
    ("n_repeats", "n_draws", "name"),
    [(9, 1, "evaluation.n_repeats is 9"), (2, 5, r"evaluation\.rescue\.n_draws \(5\) is 10")],
)
def test_more_draws_than_there_are_stop_the_run_with_the_parameter(
    n_repeats, n_draws, name
) -> None:
    with pytest.raises(ValueError, match=f"{name}, but test_draws hold only 8 draws"):
        rescue_study_of(COHORT, CLINICAL, PROFILES, n_draws, n_repeats)


def test_dropped_modalities_are_whole_and_one_is_always_left() -> None:
    values = np.random.default_rng(0).standard_normal((2000, 6))
    dropped = drop_modalities(values, [1, 2, 3], seed=0)
    missing = np.isnan(dropped)
    blocks = missing[:, [0, 1, 3]]
    np.testing.assert_array_equal(missing, np.repeat(blocks, [1, 2, 3], axis=1))
    assert not blocks.all(axis=1).any()
    assert 0.45 < blocks.any(axis=1).mean() < 0.55
    # The six patterns of three modalities remove each as often.
    assert np.ptp(blocks.mean(axis=0)) < 0.05
    np.testing.assert_array_equal(dropped[~missing], values[~missing])
    assert not np.isnan(values).any()
