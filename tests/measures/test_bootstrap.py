import numpy as np
import pytest
from scipy.stats import spearmanr

from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    central_interval,
    patient_interval,
    resample_patients,
    resampled_spearman,
    spearman,
)

PARAMETERS = BootstrapParameters(repeats=2000, level=0.95)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_each_bootstrap_sample_holds_as_many_patients_as_there_are() -> None:
    counts = resample_patients(30, 500, seed=1)
    assert (counts.sum(axis=1) == 30).all()
    # A patient is left out of a sample with probability (1 - 1 / n)^n.
    assert np.mean(counts == 0) == pytest.approx((1 - 1 / 30) ** 30, abs=0.01)


def test_the_interval_of_a_mean_is_that_of_the_central_limit_theorem() -> None:
    values = rng().exponential(size=(400, 2))
    low, high = patient_interval(lambda counts: counts @ values / 400, 400, PARAMETERS, seed=0)
    error = 1.96 * values.std(axis=0) / np.sqrt(400)
    assert low == pytest.approx(values.mean(axis=0) - error, abs=0.02)
    assert high == pytest.approx(values.mean(axis=0) + error, abs=0.02)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = rng().standard_normal(50)
    bounds = [
        patient_interval(lambda counts: counts @ values, 50, PARAMETERS, seed) for seed in (3, 3, 4)
    ]
    assert bounds[0] == bounds[1]
    assert bounds[0] != bounds[2]


def test_a_single_patient_has_no_interval() -> None:
    low, high = patient_interval(lambda counts: counts * 1.0, 1, PARAMETERS, seed=0)
    assert np.isnan([low, high]).all()


def test_samples_without_a_value_are_left_out_and_a_statistic_without_any_is_nan() -> None:
    def statistic(counts: np.ndarray) -> np.ndarray:
        first = np.where(np.arange(len(counts)) % 2, np.nan, 7.0)
        return np.column_stack([first, np.full(len(counts), np.nan)])

    low, high = patient_interval(statistic, 9, PARAMETERS, seed=0)
    assert (low[0], high[0]) == (7, 7)
    assert np.isnan([low[1], high[1]]).all()


def test_the_central_interval_is_of_the_finite_samples_of_each_statistic() -> None:
    values = np.array([[1.0, np.nan, 5.0], [2.0, np.nan, np.inf], [3.0, np.nan, 9.0]])
    low, high = central_interval(values, 0.5)
    np.testing.assert_allclose(low, [1.5, np.nan, 6.0])
    np.testing.assert_allclose(high, [2.5, np.nan, 8.0])
    assert central_interval(values[:, 0], 0.5) == (1.5, 2.5)
    assert np.isnan(central_interval(values[:, 1], 0.5)).all()


def test_spearman_is_that_of_scipy_ties_included() -> None:
    x = rng().integers(0, 5, 60).astype(float)
    y = x + rng().standard_normal(60).round()
    assert float(spearman(x, y)) == pytest.approx(spearmanr(x, y).statistic)


def test_spearman_with_a_constant_is_not_defined() -> None:
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))


def test_resampled_spearman_is_that_of_the_drawn_patients() -> None:
    x, y = rng().standard_normal((2, 40))
    counts = resample_patients(40, 3, seed=2)
    expected = [spearmanr(np.repeat(x, row), np.repeat(y, row)).statistic for row in counts]
    assert resampled_spearman(x, y, counts) == pytest.approx(expected)
