import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tcga_coherent.embedding.conditional_mean import LEAST_NOISE, fill_gaps


@pytest.fixture
def model() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, loadings and noise of nine features with three factors."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(9), rng.standard_normal((3, 9)), rng.uniform(0.2, 0.8, 9)


def sampled(model: tuple[np.ndarray, np.ndarray, np.ndarray], n: int) -> np.ndarray:
    mean, loadings, noise = model
    covariance = loadings.T @ loadings + np.diag(noise)
    return multivariate_normal(mean, covariance, seed=1).rvs(n)


def test_a_gap_is_the_conditional_mean_of_the_normal_distribution(model) -> None:
    """Against the covariance of all features, inverted for each patient."""
    mean, loadings, noise = model
    covariance = loadings.T @ loadings + np.diag(noise)
    rows = sampled(model, 30)
    gaps = np.random.default_rng(2).random(rows.shape) < 0.3
    filled = fill_gaps(np.where(gaps, np.nan, rows), mean, loadings, noise)
    np.testing.assert_array_equal(filled[~gaps], rows[~gaps])
    for row, missing, found in zip(rows, gaps, filled, strict=True):
        o, m = ~missing, missing
        gain = covariance[np.ix_(m, o)] @ np.linalg.inv(covariance[np.ix_(o, o)])
        np.testing.assert_allclose(found[m], mean[m] + gain @ (row[o] - mean[o]), rtol=1e-9)


def test_it_errs_as_little_as_the_distribution_allows(model) -> None:
    mean, loadings, noise = model
    covariance = loadings.T @ loadings + np.diag(noise)
    rows = sampled(model, 4000)
    holed = rows.copy()
    holed[:, 4] = np.nan
    error = fill_gaps(holed, mean, loadings, noise)[:, 4] - rows[:, 4]
    left = 1 / np.linalg.inv(covariance)[4, 4]
    assert np.mean(error**2) == pytest.approx(left, rel=0.05)
    assert left < 0.7 * covariance[4, 4]


def test_a_patient_is_filled_alike_alone_and_in_company(model) -> None:
    rows = sampled(model, 20)
    rows[np.random.default_rng(3).random(rows.shape) < 0.3] = np.nan
    rows[5:9, 2] = np.nan
    together = fill_gaps(rows, *model)
    alone = np.vstack([fill_gaps(rows[[i]], *model) for i in range(20)])
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_without_any_value_the_mean_is_expected_and_without_gaps_nothing_changes(model) -> None:
    mean = model[0]
    filled = fill_gaps(np.full((1, 9), np.nan), *model)
    np.testing.assert_allclose(filled[0], mean, rtol=1e-12)
    rows = sampled(model, 3)
    assert fill_gaps(rows, *model) is rows


def test_features_that_the_axes_explain_wholly_leave_the_others_finite(model) -> None:
    mean, loadings, _ = model
    rows = sampled(model, 3)
    rows[:, 0] = np.nan
    exact = fill_gaps(rows, mean, loadings, np.zeros(9))
    assert np.isfinite(exact).all()
    np.testing.assert_array_equal(exact, fill_gaps(rows, mean, loadings, np.full(9, LEAST_NOISE)))
