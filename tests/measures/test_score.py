import numpy as np
import pytest
from scipy import stats

from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.measures.score import Score, estimate, patient_estimate


def test_an_interval_over_patients_is_of_the_paired_difference() -> None:
    rng = np.random.default_rng(0)
    patients = rng.standard_normal(4000)
    better = patients + 0.1 + 0.01 * rng.standard_normal(4000)
    repeats = np.array([1.0, 2.0, 4.0])
    found = Score(repeats + 0.1, better) - Score(repeats, patients)
    columns = found.columns("gain", level=0.95)
    low, high = stats.norm.interval(0.95, loc=0.1, scale=0.01)
    assert columns["gain_low"] == pytest.approx(low, abs=0.002)
    assert columns["gain_high"] == pytest.approx(high, abs=0.002)
    assert columns["gain_mean"] == pytest.approx(0.1)
    assert columns["gain_std"] == pytest.approx(0)


def test_spread_over_repeats_is_that_of_numpy_and_undefined_of_one_alone() -> None:
    values = np.array([0.1, 0.5, 0.3])
    assert Score(values, values).mean == pytest.approx(0.3)
    assert Score(values, values).std == pytest.approx(np.std(values, ddof=1))
    assert np.isnan(Score(values[:1], values).std)


def test_a_curve_has_each_number_once_a_point() -> None:
    rng = np.random.default_rng(1)
    by_repeat, by_sample = rng.random((4, 3)), rng.random((200, 3))
    columns = Score(by_repeat, by_sample).columns("score", level=0.8)
    np.testing.assert_allclose(columns["score_mean"], by_repeat.mean(axis=0))
    np.testing.assert_allclose(columns["score_std"], by_repeat.std(axis=0, ddof=1))
    for name, share in (("score_low", 0.1), ("score_high", 0.9)):
        np.testing.assert_allclose(columns[name], np.quantile(by_sample, share, axis=0))


def test_an_estimate_is_of_all_patients_and_its_interval_of_those_drawn() -> None:
    values = np.random.default_rng(2).random(30)
    bootstrap = BootstrapParameters(200, 0.9)
    found = patient_estimate(lambda counts: counts @ values / 30, 30, bootstrap, seed=4)
    drawn = resample_patients(30, 200, 4) @ values / 30
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.05, 0.95])))
    same = estimate(values.mean(), drawn, 0.9)
    assert (same.low, same.high) == (found.low, found.high)
