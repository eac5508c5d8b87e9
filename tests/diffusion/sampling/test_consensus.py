from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.sampling.consensus import (
    STANDARD_NORMAL,
    ErrorMoments,
    complete_moments,
    consensus_weights,
    halves_of_validation,
    least_error_weights,
    measure_errors,
    measured_levels,
)
from tcga_coherent.diffusion.sampling.samplers import spaced_timesteps


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


def made_up_denoiser(name: str, sources: tuple[str, ...], seed: int) -> LoadedDenoiser:
    torch.manual_seed(seed)
    shape = DenoiserShape(2, (2,) * len(sources), 8, 2, 4, 4, "velocity")
    network = StackedDenoiser(1, shape).eval()
    return LoadedDenoiser(name, "x", sources, network, LinearBeta(), 1.0)


def measured(patients: int, halves: np.ndarray, visited=(0, 3, 10), **changes) -> ErrorMoments:
    random = np.random.default_rng(0)
    values = {name: random.normal(size=(patients, 2)).astype(np.float32) for name in "xab"}
    values = {name: torch.from_numpy(v) for name, v in (values | changes).items()}
    members = [made_up_denoiser("x_from_a", ("a",), 0), made_up_denoiser("x_from_b", ("b",), 1)]
    multi = made_up_denoiser("x", ("a", "b"), 2)
    return measure_errors(members, [], multi, values["x"], values, halves, visited, seed=0)


def test_the_multi_expert_is_measured_without_its_sources() -> None:
    halves = np.arange(40) % 2
    found = measured(40, halves)
    other = measured(40, halves, a=np.full((40, 2), 3, np.float32))
    expert, single = found.names.index("x"), found.names.index("x_from_a")
    np.testing.assert_allclose(found.moments[:, expert, expert], other.moments[:, expert, expert])
    assert (found.moments[:, single, single] != other.moments[:, single, single]).all()


def test_the_standard_normal_expert_has_the_error_that_follows_from_the_data() -> None:
    # eps - sigma (alpha x + sigma eps) = alpha^2 eps - sigma alpha x, of independent x and eps.
    found = measured(300, np.arange(300) % 2)
    alpha_bar = LinearBeta().alphas_cumprod.numpy()[found.timesteps]
    square = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    expected = alpha_bar**2 + (1 - alpha_bar) * alpha_bar * np.mean(square**2)
    place = found.names.index(STANDARD_NORMAL)
    np.testing.assert_allclose(found.moments[:, place, place], expected, rtol=0.03)


def test_moments_of_the_halves_are_those_of_their_patients_and_average_to_the_whole() -> None:
    halves = np.array([0] * 10 + [1] * 30)
    found = measured(40, halves)
    first, second = found.of_half(0), found.of_half(1)
    np.testing.assert_allclose(found.moments, 0.25 * first.moments + 0.75 * second.moments)
    moved = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    moved[10:] += 5
    changed = measured(40, halves, x=moved)
    np.testing.assert_allclose(changed.of_half(0).moments, first.moments, rtol=1e-4)
    assert (np.abs(changed.of_half(1).moments - second.moments).max(axis=(1, 2)) > 1e-3).all()


def test_moments_without_halves_say_what_to_do() -> None:
    errors = ErrorMoments(("x_from_a",), np.array([0, 9]), np.ones((2, 1, 1)))
    with pytest.raises(
        ValueError, match=r"x_from_a does not hold the halves .* diffusion_training"
    ):
        errors.of_half(0)


def test_halves_of_validation_follow_from_the_patients_alone() -> None:
    patients = [f"P{number:03d}" for number in range(51)]
    halves = dict(zip(patients, halves_of_validation(patients), strict=True))
    assert sum(halves.values()) == 25
    assert halves == dict(zip(patients[::-1], halves_of_validation(patients[::-1]), strict=True))
    assert set(list(halves.values())[:10]) == {0, 1}


@pytest.mark.parametrize("n_steps", [5, 20, 40])
def test_errors_are_measured_at_every_timestep_that_few_steps_visit(n_steps) -> None:
    visited = spaced_timesteps(1000, n_steps, 2.5)
    levels = measured_levels(1000, visited)
    assert set(visited) <= set(levels.tolist())
    assert (np.diff(levels) > 0).all()
    assert levels[[0, -1]].tolist() == [0, 999]


def test_of_a_thousand_visits_so_many_are_measured_that_weights_hardly_change_between_them() -> (
    None
):
    levels = measured_levels(1000, list(range(999, -1, -1)))
    assert len(levels) <= 75
    log_snr = np.array([0.5 * np.log(a / (1 - a)) for a in LinearBeta().alphas_cumprod.numpy()])
    assert np.abs(np.diff(log_snr[levels])).max() < 0.45


def test_a_validation_error_that_is_no_number_has_no_weight_by_its_inverse() -> None:
    good = made_up_denoiser("x_from_a", ("a",), 0)
    bad = replace(made_up_denoiser("x_from_b", ("b",), 1), mse=float("inf"))
    with pytest.raises(ValueError, match="The validation MSE of x_from_b is not a positive number"):
        consensus_weights([good, bad], [0, 9], "inverse_mse")


def without(values: np.ndarray, lacking: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[lacking] = np.nan
    return values


def test_moments_of_two_sources_are_those_of_the_patients_who_have_both() -> None:
    random = np.random.default_rng(0)
    x, a, b = (random.normal(size=(40, 2)).astype(np.float32) for _ in "xab")
    lacks_a, lacks_b = np.arange(40) < 10, np.arange(40) >= 30
    # The first half has both, the second one of them.
    halves = (lacks_a | lacks_b).astype(int)
    found = measured(40, halves, x=x, a=without(a, lacks_a), b=without(b, lacks_b))
    whole = measured(40, halves, x=x, a=a, b=b)
    assert found.counts is not None
    assert found.halves is not None
    assert whole.halves is not None
    i, j, normal = (found.names.index(n) for n in ("x_from_a", "x_from_b", STANDARD_NORMAL))
    assert found.counts[[i, j, normal, i], [i, j, normal, j]].tolist() == [30, 30, 40, 20]
    np.testing.assert_allclose(found.halves[0], whole.halves[0], rtol=1e-6)
    # Moments of different patients are brought to those of a distribution, which moves them by little.
    np.testing.assert_allclose(found.moments[:, i, j], whole.halves[0][:, i, j], rtol=0.02)
    # Ten patients of the second half have the first source beside the twenty of the first half.
    expected = (20 * found.halves[0][:, i, i] + 10 * found.halves[1][:, i, i]) / 30
    np.testing.assert_allclose(found.moments[:, i, i], expected, rtol=0.05)


def test_errors_that_nobody_shows_together_are_linked_through_the_standard_normal() -> None:
    moments = np.array([[[[4.0, 0.0, 1.0], [0.0, 9.0, 3.0], [1.0, 3.0, 2.0]]]] * 2)
    counts = np.array([[[5, 0, 5], [0, 5, 5], [5, 5, 10]]] * 2)
    halves, whole = complete_moments(moments, counts)
    # 1 * 3 / 2 of the first two, all others as they are.
    expected = [[4.0, 1.5, 1.0], [1.5, 9.0, 3.0], [1.0, 3.0, 2.0]]
    np.testing.assert_allclose(whole[0], expected)
    np.testing.assert_allclose(halves, np.array([[expected]] * 2))


def test_what_one_half_does_not_tell_is_taken_from_the_whole() -> None:
    one, other = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[0.0, 0.0], [0.0, 4.0]])
    counts = np.array([[[3, 3], [3, 3]], [[0, 0], [0, 1]]])
    halves, whole = complete_moments(np.stack([one, other])[:, None], counts)
    # Of four patients three have the first source: (3 * 2 + 4) / 4 is the mean of the second.
    np.testing.assert_allclose(whole[0], [[2.0, 1.0], [1.0, 2.5]])
    np.testing.assert_allclose(halves[1, 0], [[2.0, 1.0], [1.0, 4.0]])


def test_moments_of_different_patients_are_brought_to_those_of_a_distribution() -> None:
    # Correlations of .9, .9 and -.9 cannot be: the eigenvalue -.8 is set to zero.
    impossible = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]])
    counts = np.array([[[3, 1, 1], [1, 3, 2], [1, 2, 4]]] * 2)
    _, whole = complete_moments(np.stack([impossible[None]] * 2), counts)
    values, vectors = np.linalg.eigh(impossible)
    expected = (vectors * values.clip(0)) @ vectors.T
    np.testing.assert_allclose(whole[0], expected, atol=1e-12)
