import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import (
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.util import Surv

from tcga_coherent.measures.concordance import concordant_pairs
from tcga_coherent.measures.survival_scores import (
    AUC_QUANTILES,
    brier_times,
    integrated_brier,
    pair_scores,
)

RNG = np.random.default_rng(0)


def outcomes_of(n_patients: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Hazard and outcome; nobody is followed longer than 2,000 days."""
    hazard = RNG.standard_normal(n_patients)
    death = np.exp(-hazard) * RNG.exponential(500, n_patients) + 1
    censored = RNG.uniform(100, 2000, n_patients)
    frame = pd.DataFrame({"event": death <= censored, "days": np.minimum(death, censored)})
    return hazard, frame


def surv(outcomes: pd.DataFrame) -> np.ndarray:
    return Surv.from_arrays(outcomes["event"].to_numpy(), outcomes["days"].to_numpy())


TRAIN = outcomes_of(300)[1]
# The last training patient is followed longest, so that scikit-survival takes all test patients.
TRAIN.loc[len(TRAIN)] = [False, 2001.0]
HAZARD, TEST = outcomes_of(120)
RISK = HAZARD + RNG.standard_normal(120)
CASES = np.flatnonzero(TEST["event"])


def values(risk: np.ndarray, counts: np.ndarray | None = None) -> dict[str, np.ndarray]:
    concordant = concordant_pairs(risk)[CASES]
    return {
        name: pairs.value(concordant, counts) for name, pairs in pair_scores(TRAIN, TEST).items()
    }


def test_pair_scores_are_those_of_scikit_survival() -> None:
    found = values(RISK)
    times = np.quantile(TEST.loc[TEST["event"], "days"], AUC_QUANTILES)
    expected = {
        "c_index": concordance_index_censored(TEST["event"], TEST["days"], RISK)[0],
        "c_index_ipcw": concordance_index_ipcw(surv(TRAIN), surv(TEST), RISK)[0],
        "auc": cumulative_dynamic_auc(surv(TRAIN), surv(TEST), RISK, times)[1],
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


def test_a_higher_risk_of_those_who_die_early_scores_above_one_half() -> None:
    assert all(value[0] > 0.6 for value in values(HAZARD).values())
    assert all(value[0] < 0.4 for value in values(-HAZARD).values())


def test_counts_score_a_sample_with_repeated_patients() -> None:
    counts = RNG.multinomial(120, np.full(120, 1 / 120), size=2)
    found = values(RISK, counts)["c_index"]
    for sample, value in zip(counts, found, strict=True):
        drawn = np.repeat(np.arange(120), sample)
        outcomes = TEST.iloc[drawn]
        expected = concordance_index_censored(outcomes["event"], outcomes["days"], RISK[drawn])[0]
        assert value == pytest.approx(expected)


def test_the_mean_of_pairs_has_the_mean_score() -> None:
    risks = (RISK, HAZARD, -HAZARD)
    pairs = pair_scores(TRAIN, TEST)["auc"]
    mean = np.mean([concordant_pairs(risk)[CASES] for risk in risks], axis=0)
    expected = np.mean([values(risk)["auc"] for risk in risks])
    assert pairs.value(mean) == pytest.approx(expected)


def test_scores_without_a_pair_are_missing() -> None:
    # Both deaths lie after the training patients' follow-up.
    test = pd.DataFrame({"event": [True, True, False], "days": [3000.0, 3001.0, 5.0]})
    scores = pair_scores(TRAIN, test)
    concordant = concordant_pairs(np.array([2.0, 1.0, 0.0]))[:2]
    assert scores["c_index"].value(concordant) == 1
    assert np.isnan(scores["c_index_ipcw"].value(concordant))
    assert np.isnan(scores["auc"].value(concordant))


def test_brier_times_are_whole_units_within_the_deaths() -> None:
    times = brier_times(TRAIN, TEST, 30.0)
    low, high = np.quantile(TEST.loc[TEST["event"], "days"], [0.1, 0.9])
    np.testing.assert_array_equal(np.diff(times), 30)
    assert low <= times[0] < low + 30
    assert high - 30 < times[-1] <= high
    followed_shortly = TRAIN.assign(days=TRAIN["days"].clip(upper=100.0))
    assert brier_times(followed_shortly, TEST, 30.0).max() < 100


def test_the_integrated_brier_score_is_that_of_scikit_survival() -> None:
    times = brier_times(TRAIN, TEST, 30.0)
    survival = np.exp(-times / 500 * np.exp(HAZARD)[:, None])
    found = integrated_brier(survival, times, TRAIN, TEST)
    expected = integrated_brier_score(surv(TRAIN), surv(TEST), survival, times)
    assert found.mean() == pytest.approx(expected)


def test_who_is_foreseen_has_no_brier_score_and_who_is_not_a_quarter() -> None:
    everyone_dies = TEST.assign(event=True)
    nobody_censored = TRAIN.assign(event=True)
    times = brier_times(nobody_censored, everyone_dies, 30.0)
    truth = (everyone_dies["days"].to_numpy()[:, None] > times).astype(float)
    perfect = integrated_brier(truth, times, nobody_censored, everyone_dies)
    np.testing.assert_allclose(perfect, 0)
    half = integrated_brier(np.full_like(truth, 0.5), times, nobody_censored, everyone_dies)
    within = everyone_dies["days"] < nobody_censored["days"].max()
    np.testing.assert_allclose(half[within], 0.25)
