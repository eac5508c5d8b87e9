import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from tcga_coherent.diffusion.consensus import (
    ErrorMoments,
    least_error_weights,
    standard_normal_estimate,
)


def random_moments(rng, n):
    factor = rng.normal(size=(n, n + 2))
    return factor @ factor.T


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_weights_are_the_minimum_on_the_simplex(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        moments = random_moments(rng, n)
        weights = least_error_weights(moments)
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)
        oracle = minimize(
            lambda w, g=moments: w @ g @ w,
            np.full(n, 1 / n),
            bounds=[(0, 1)] * n,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            method="SLSQP",
        )
        assert weights @ moments @ weights <= oracle.fun + 1e-6


@pytest.mark.parametrize("n", [3, 4])
def test_the_weight_of_the_expert_is_free_and_those_of_the_denoisers_are_not_negative(n):
    rng = np.random.default_rng(n)
    negative = 0
    for _ in range(20):
        moments = random_moments(rng, n)
        weights = least_error_weights(moments, n_free=1)
        assert weights[:-1].min() >= 0
        assert weights.sum() == pytest.approx(1)
        oracle = minimize(
            lambda w, g=moments: w @ g @ w,
            np.full(n, 1 / n),
            bounds=[(0, None)] * (n - 1) + [(None, None)],
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            method="SLSQP",
        )
        assert weights @ moments @ weights <= oracle.fun + 1e-6
        negative += weights[-1] < -1e-9
    assert negative > 0


def test_two_sources_that_each_know_half_are_added_up():
    """Errors of x = a + b: without sources a + b, from the first b, from the second a."""
    parts = np.eye(2)
    errors = np.array([parts[1], parts[0], parts[0] + parts[1]])
    np.testing.assert_allclose(
        least_error_weights(errors @ errors.T, n_free=1), [1, 1, -1], rtol=1e-6
    )


def test_a_standard_normal_target_has_the_experts_noise_estimate():
    """Regression of the noise on the noisy value, both drawn."""
    rng = np.random.default_rng(0)
    clean, noise = rng.standard_normal((2, 200_000))
    for alpha_bar in (0.1, 0.9):
        noisy = alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise
        slope = float(noisy @ noise / (noisy @ noisy))
        expected = standard_normal_estimate(torch.ones(1), alpha_bar).item()
        assert slope == pytest.approx(expected, abs=0.01)


def test_independent_errors_are_weighted_by_their_inverse_variance():
    np.testing.assert_allclose(least_error_weights(np.diag([1.0, 4.0])), [0.8, 0.2])


def test_a_denoiser_that_only_adds_error_gets_no_weight():
    # The second error is the first plus independent noise.
    np.testing.assert_allclose(
        least_error_weights(np.array([[1.0, 1.0], [1.0, 2.0]])), [1, 0], atol=1e-8
    )


def test_moments_are_interpolated_and_subset():
    moments = np.stack([np.diag([1.0, 2.0, 3.0]), np.diag([3.0, 4.0, 5.0])])
    errors = ErrorMoments(("x_from_a", "x_from_b", "x_from_c"), np.array([0, 100]), moments)
    np.testing.assert_allclose(errors.at(25, ["x_from_c", "x_from_a"]), np.diag([3.5, 1.5]))
    np.testing.assert_allclose(errors.at(100, ["x_from_b"]), [[4.0]])
