from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score
from sksurv.metrics import concordance_index_censored

from tcga_coherent.downstream.acquisition_curves import (
    RATIOS,
    ConcordanceScorer,
    MacroF1Scorer,
    acquisition_order,
    area,
    n_acquired,
)
from tcga_coherent.measures.bootstrap import resample_patients

CLASSES = ["I", "II", "III"]


@pytest.fixture(scope="module")
def staged() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, and two repeats of predictions that are better after measuring."""
    rng = np.random.default_rng(0)
    truth = rng.choice(CLASSES, 60, p=[0.5, 0.3, 0.2])
    right = (truth[:, None] == CLASSES).astype(float)
    before, after = (rng.random((2, 60, 3)) + weight * right for weight in (0.3, 0.9))
    return truth, before, after


@pytest.fixture(scope="module")
def survived() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    days = rng.integers(1, 30, 12).astype(float)
    outcomes = pd.DataFrame({"event": rng.random(12) < 0.7, "days": days})
    before, after = ((-days + rng.normal(0, noise, (2, 12)))[..., None] for noise in (20, 5))
    return outcomes, before, after


def harrell(outcomes: pd.DataFrame, risk: np.ndarray) -> float:
    return concordance_index_censored(outcomes["event"], outcomes["days"], risk)[0]


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    return f1_score(truth, predicted, average="macro", labels=np.unique(truth), zero_division=0)


def mixed(before: np.ndarray, after: np.ndarray, order: np.ndarray, n: int) -> np.ndarray:
    values = before.copy()
    values[order[:n]] = after[order[:n]]
    return values


def test_macro_f1_follows_the_order(staged) -> None:
    truth, before, after = staged
    order = np.array([np.random.default_rng(2).permutation(60) for _ in range(2)])
    counts = resample_patients(60, 4, seed=0)
    curve = MacroF1Scorer(truth, CLASSES, counts).informed(before, after, order)
    assert curve.by_repeat.shape == (2, 21)
    assert curve.by_sample.shape == (4, 21)
    chosen = np.array(CLASSES)
    for position, n in enumerate(n_acquired(60)):
        names = [chosen[mixed(before[r], after[r], order[r], n).argmax(axis=1)] for r in range(2)]
        expected = [macro_f1(truth, name) for name in names]
        np.testing.assert_allclose(curve.by_repeat[:, position], expected)
        for sample, count in enumerate(counts):
            resampled = [macro_f1(np.repeat(truth, count), np.repeat(n, count)) for n in names]
            assert curve.by_sample[sample, position] == pytest.approx(np.mean(resampled))


def test_the_c_index_follows_the_order(survived) -> None:
    outcomes, before, after = survived
    order = np.array([np.random.default_rng(3).permutation(12) for _ in range(2)])
    counts = resample_patients(12, 4, seed=0)
    curve = ConcordanceScorer(outcomes, counts).informed(before, after, order)
    for position, n in enumerate(n_acquired(12)):
        risks = [mixed(before[r], after[r], order[r], n)[:, 0] for r in range(2)]
        expected = [harrell(outcomes, risk) for risk in risks]
        np.testing.assert_allclose(curve.by_repeat[:, position], expected)
        for sample, count in enumerate(counts):
            again = outcomes.loc[outcomes.index.repeat(count)]
            resampled = [harrell(again, np.repeat(risk, count)) for risk in risks]
            assert curve.by_sample[sample, position] == pytest.approx(np.mean(resampled))


def test_random_macro_f1_is_nearly_the_mean_over_random_orders(staged) -> None:
    truth, before, after = staged
    scorer = MacroF1Scorer(truth, CLASSES, resample_patients(60, 2, seed=0))
    closed = scorer.random(before, after)
    rng = np.random.default_rng(4)
    mean = np.mean(
        [
            scorer.informed(
                before, after, rng.permuted(np.tile(np.arange(60), (2, 1)), axis=1)
            ).by_repeat
            for _ in range(1000)
        ],
        axis=0,
    )
    rise = mean[:, -1] - mean[:, 0]
    assert (rise > 0.3).all()
    np.testing.assert_allclose(closed.by_repeat, mean, atol=0.006)
    np.testing.assert_allclose(closed.by_repeat[:, [0, -1]], mean[:, [0, -1]])


def test_the_random_c_index_is_the_mean_over_all_choices_of_patients(survived) -> None:
    outcomes, before, after = survived
    counts = resample_patients(12, 3, seed=1)
    scorer = ConcordanceScorer(outcomes, counts)
    closed = scorer.random(before, after)
    position = 5
    n = n_acquired(12)[position]
    assert n == 3
    choices = [list(choice) for choice in combinations(range(12), int(n))]
    for repeat in range(2):
        scores = [
            harrell(outcomes, mixed(before[repeat], after[repeat], choice, n)[:, 0])
            for choice in map(np.array, choices)
        ]
        assert closed.by_repeat[repeat, position] == pytest.approx(np.mean(scores))
    for sample, count in enumerate(counts):
        again = outcomes.loc[outcomes.index.repeat(count)]
        scores = [
            harrell(again, np.repeat(mixed(before[r], after[r], choice, n)[:, 0], count))
            for choice in map(np.array, choices)
            for r in range(2)
        ]
        assert closed.by_sample[sample, position] == pytest.approx(np.mean(scores))


def test_the_gain_of_a_patient_is_what_measuring_that_one_alone_changes(survived) -> None:
    outcomes, before, after = survived
    gain = ConcordanceScorer(outcomes, resample_patients(12, 2, seed=0)).gain(before, after)
    base = harrell(outcomes, before[1, :, 0])
    alone = [
        harrell(outcomes, mixed(before[1], after[1], np.array([i]), 1)[:, 0]) for i in range(12)
    ]
    n_comparable = gain[1] / np.where(np.isclose(alone, base), np.nan, np.array(alone) - base)
    assert np.nanmin(n_comparable) == pytest.approx(np.nanmax(n_comparable))
    assert np.nanmin(n_comparable) > 0


def test_the_oracle_measures_first_whom_it_makes_right_and_last_whom_it_makes_wrong() -> None:
    truth = np.array(["I", "I", "II", "II"])
    before = np.array([[[0.4, 0.6], [0.6, 0.4], [0.1, 0.9], [0.2, 0.8]]])
    after = np.array([[[0.6, 0.4], [0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]])
    gain = MacroF1Scorer(truth, ["I", "II"], resample_patients(4, 2, seed=0)).gain(before, after)
    np.testing.assert_array_equal(acquisition_order(gain, seed=0), [[0, 1, 3, 2]])


def test_ties_are_broken_at_random_and_by_seed() -> None:
    priority = np.array([np.zeros(50), np.arange(50.0)])
    order = acquisition_order(priority, seed=0)
    np.testing.assert_array_equal(order, acquisition_order(priority, seed=0))
    np.testing.assert_array_equal(order[1], np.arange(50)[::-1])
    assert sorted(order[0]) == list(range(50))
    assert (order[0] != np.arange(50)).any()
    assert (order[0] != acquisition_order(priority, seed=1)[0]).any()


def test_a_class_that_training_lacks_is_always_missed() -> None:
    truth = np.array(["I", "I", "IV", "IV"])
    sure = np.array([[[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8]]])
    curve = MacroF1Scorer(truth, ["I", "II"], resample_patients(4, 2, seed=0)).random(sure, sure)
    np.testing.assert_allclose(curve.by_repeat, np.full((1, len(RATIOS)), 0.5))


def test_the_area_is_the_mean_difference(staged) -> None:
    truth, before, after = staged
    scorer = MacroF1Scorer(truth, CLASSES, resample_patients(60, 5, seed=0))
    best = scorer.informed(before, after, acquisition_order(scorer.gain(before, after), 0))
    worst = scorer.informed(before, after, acquisition_order(-scorer.gain(before, after), 0))
    random = scorer.random(before, after)
    above, below = area(best - random), area(worst - random)
    np.testing.assert_allclose(
        above.by_repeat, best.by_repeat.mean(axis=1) - random.by_repeat.mean(axis=1)
    )
    assert (above.by_repeat > 0.05).all()
    assert (below.by_repeat < -0.05).all()
    assert above.by_sample.shape == (5,)
