"""Samplers and consensus weights on Gaussian patients.

As everything is linear, the law of the draws follows exactly from what a sampler makes of unit
noises, without random numbers. It is compared with closed forms and with the moments of the
reverse process in continuous time.
"""

from collections.abc import Sequence
from functools import cache
from typing import get_args

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import SamplingConfig, Weighting
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.sampling.consensus import (
    STANDARD_NORMAL,
    ErrorMoments,
    consensus_weights,
    least_error_weights,
)
from tcga_coherent.diffusion.sampling.ensemble import Ensemble
from tcga_coherent.diffusion.sampling.samplers import (
    DDIMSampler,
    DDPMSampler,
    DPMSolverSampler,
    Sampler,
)
from tests.diffusion.gaussian_patients import (
    ALPHA_BARS,
    DIM,
    IDENTITY,
    LAMBDAS,
    PRIOR,
    ROUGH,
    SCHEDULE,
    SHARP,
    Expert,
    equally_informed,
    error_moments,
    estimate,
    posterior,
    reverse_process_law,
)

# Sampler, its eta in continuous time, and the error of a mean or a variance that its steps cost.
SAMPLERS = {
    "ddpm": (DDPMSampler(SCHEDULE), 1.0, 0.006),
    "ddim": (DDIMSampler(SCHEDULE, 400, eta=1.0, power=2.5), 1.0, 0.015),
    "ddim_ode": (DDIMSampler(SCHEDULE, 400, eta=0.0, power=2.5), 0.0, 0.01),
    "dpm_solver": (DPMSolverSampler(SCHEDULE, 100), 1.0, 0.01),
    "dpm_solver_half": (DPMSolverSampler(SCHEDULE, 100, eta=0.5), 0.5, 0.005),
    "dpm_solver_ode": (DPMSolverSampler(SCHEDULE, 100, eta=0.0), 0.0, 0.002),
}
# Sampling starts at a mean of 0, not sqrt(alpha_bar_T) m, and a deterministic sampler never forgets.
START = ALPHA_BARS[-1] ** 0.5


class UnitNoise:
    """Column 0 has no noise; each further column has one unit noise of one step, and else none."""

    def __init__(self, n_visits: int) -> None:
        self.keys = torch.zeros(1 + DIM * (n_visits + 1), dtype=torch.int64)

    def step(self, number: int) -> torch.Tensor:
        noise = torch.zeros(DIM, len(self.keys), dtype=torch.float64)
        noise[:, 1 + DIM * number : 1 + DIM * (number + 1)] = torch.eye(DIM)
        return noise


class ExactMembers:
    """Stand in for the stacked networks of an ensemble. Column 0 alone has sources."""

    def __init__(self, experts: Sequence[Expert], timesteps: Sequence[int]) -> None:
        self.experts, self.timesteps = experts, timesteps

    def condition(self, conditions, n_rows: int, device: torch.device) -> torch.Tensor:
        sources = torch.zeros(n_rows, dtype=torch.float64)
        sources[0] = 1.0
        return sources

    def estimate(self, noisy: torch.Tensor, visit: int, sources: torch.Tensor) -> torch.Tensor:
        timestep = self.timesteps[visit]
        estimates = []
        for expert in self.experts:
            matrix, offset = map(
                torch.from_numpy, estimate([expert], np.array([1.0]), LAMBDAS[timestep])
            )
            sigma = (1 - ALPHA_BARS[timestep]) ** 0.5
            estimates.append(matrix @ noisy / sigma + offset[:, None] * sources)
        return torch.stack(estimates)


class FirstVisits:
    """A sampler that is left after some visits."""

    def __init__(self, sampler: Sampler, n_visits: int) -> None:
        self.timesteps, self.step = sampler.timesteps[:n_visits], sampler.step


def draw_law(
    sampler: Sampler, experts: Sequence[Expert], weights: np.ndarray, n_visits: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of what an ensemble draws, after some visits or at the end.

    The ensemble's own loop runs, on exact members instead of networks. Its rows are the trajectory
    without noise, and the response to each unit noise without the sources. The last weight is that
    of the ensemble's unconditional expert where the last expert is :data:`PRIOR`.
    """
    n_visits = len(sampler.timesteps) if n_visits is None else n_visits
    members = experts[:-1] if experts[-1] is PRIOR else experts
    ensemble = Ensemble(loaded(members), SamplingConfig(n_steps=2, weights="equal"))
    ensemble.sampler = FirstVisits(sampler, n_visits)
    ensemble._groups = [ExactMembers(members, sampler.timesteps)]
    given = torch.from_numpy(weights.astype(float))
    ensemble.weights = given[:, : len(members)]
    ensemble.expert_weights = torch.cat([given, torch.zeros(len(given), 1)], 1)[:, len(members)]
    drawn, _, _ = ensemble._denoise({}, UnitNoise(n_visits))
    responses = drawn[1:].numpy().T
    return drawn[0].numpy(), responses @ responses.T


def loaded(experts: Sequence[Expert]) -> list[LoadedDenoiser]:
    """Return the experts as the weights know them; the error of a draw is twice the variance."""
    shape = DenoiserShape(DIM, (DIM,), 2, 1, 2, 2, "noise")
    return [
        LoadedDenoiser(
            f"x_from_{i}",
            "x",
            (str(i),),
            StackedDenoiser(1, shape),
            SCHEDULE,
            2 * float(np.trace(expert.covariance)) / DIM,
        )
        for i, expert in enumerate(experts)
    ]


def weigh(experts: Sequence[Expert], weighting: str, timesteps: Sequence[int]) -> np.ndarray:
    """Return the project's weights of the experts and the unconditional one."""
    denoisers = loaded(experts)
    # An exact trained expert is the standard normal one.
    names = (*(d.name for d in denoisers), "x", STANDARD_NORMAL)
    levels = np.sort(timesteps)
    moments = np.stack([error_moments([*experts, PRIOR, PRIOR], LAMBDAS[t]) for t in levels])
    errors = ErrorMoments(names, levels, moments)
    return consensus_weights(denoisers, timesteps, weighting, errors).numpy()


def assert_law(got, expected, tolerance: float, start: float = START) -> None:
    np.testing.assert_allclose(got[0], expected[0], atol=tolerance + start)
    np.testing.assert_allclose(got[1], expected[1], atol=tolerance)


@pytest.mark.parametrize("name", SAMPLERS)
def test_one_source_gives_its_posterior(name):
    sampler, _, tolerance = SAMPLERS[name]
    weights = weigh([SHARP], "composed", sampler.timesteps)
    assert_law(draw_law(sampler, [SHARP, PRIOR], weights), posterior([SHARP]), tolerance)


@pytest.mark.parametrize("share", [0.3, 0.7])
@pytest.mark.parametrize("name", SAMPLERS)
def test_trajectories_have_the_marginals_of_the_forward_process(name, share):
    sampler, _, tolerance = SAMPLERS[name]
    n_visits = int(share * len(sampler.timesteps))
    weights = weigh([ROUGH], "equal", sampler.timesteps)
    alpha_bar = ALPHA_BARS[sampler.timesteps[n_visits]]
    mean, covariance = posterior([ROUGH])
    expected = alpha_bar**0.5 * mean, alpha_bar * covariance + (1 - alpha_bar) * IDENTITY
    assert_law(draw_law(sampler, [ROUGH, PRIOR], weights, n_visits), expected, tolerance)


@pytest.mark.parametrize("weighting", get_args(Weighting))
@pytest.mark.parametrize("name", SAMPLERS)
def test_the_consensus_follows_its_reverse_process(name, weighting):
    # Sources that know different directions unequally well, so that no weights give the posterior.
    sampler, eta, tolerance = SAMPLERS[name]
    experts = [ROUGH, SHARP]
    weights = weigh(experts, weighting, sampler.timesteps)
    errors = np.array([np.trace(e.covariance) for e in experts])

    def weights_at(log_snr: float) -> np.ndarray:
        if weighting == "equal":
            return np.array([0.5, 0.5, 0.0])
        if weighting == "inverse_mse":
            return np.append(1 / errors / (1 / errors).sum(), 0.0)
        moments = error_moments([*experts, PRIOR], log_snr)
        if weighting == "learned":
            return np.append(least_error_weights(moments[:2, :2]), 0.0)
        return least_error_weights(moments, n_free=1)

    expected = reverse_process_law([*experts, PRIOR], weights_at, eta)
    assert_law(draw_law(sampler, [*experts, PRIOR], weights), expected, tolerance, start=0.0)


EQUALLY_INFORMED = [
    equally_informed(1.0, [1.0, -2.0]),
    equally_informed(0.25, [1.5, 0.0]),
    equally_informed(4.0, [-1.0, -3.0]),
]
ONE_COORDINATE_EACH = [
    Expert(np.array([[1.0, 0.0]]), np.diag([0.2]), np.array([1.5])),
    Expert(np.array([[0.0, 1.0]]), np.diag([1.0]), np.array([-2.0])),
]


@pytest.mark.parametrize("n_sources", [2, 3])
def test_composed_weights_of_equally_informed_sources_are_the_closed_form(n_sources):
    # With precisions 1 + a_i, the noise given all sources is sum_i w_i eps_i + w_0 eps_0 with
    # w_i = (1 + sigma^2 a_i) / (1 + sigma^2 a), w_0 = (1 - n) / (1 + sigma^2 a), a = sum_i a_i.
    experts = EQUALLY_INFORMED[:n_sources]
    timesteps = [0, 300, 999]
    information = np.array([1 / e.noise[0, 0] for e in experts])
    sigma2 = (1 - ALPHA_BARS[timesteps])[:, None]
    whole = 1 + sigma2 * information.sum()
    expected = np.hstack([(1 + sigma2 * information) / whole, (1 - n_sources) / whole])
    np.testing.assert_allclose(weigh(experts, "composed", timesteps), expected, atol=1e-3)


@pytest.mark.parametrize(
    "experts", [EQUALLY_INFORMED, ONE_COORDINATE_EACH], ids=["same_coordinates", "one_each"]
)
@pytest.mark.parametrize("name", SAMPLERS)
def test_composed_weights_give_the_posterior_of_all_sources(name, experts):
    sampler, _, tolerance = SAMPLERS[name]
    weights = weigh(experts, "composed", sampler.timesteps)
    assert_law(draw_law(sampler, [*experts, PRIOR], weights), posterior(experts), tolerance)


def test_without_the_unconditional_expert_draws_are_as_wide_as_a_mean_of_the_experts():
    # Integrals of the moments for constant weights: a deterministic sampler has the geometric mean
    # of the variances, a stochastic one of two equal weights their product over the logarithmic
    # mean. Both lie between the variances, while the posterior is narrower than either.
    experts = EQUALLY_INFORMED[:2]
    first, second = (e.covariance[0, 0] for e in experts)
    expected = {
        "dpm_solver_ode": (first * second) ** 0.5,
        "dpm_solver": first * second * np.log(first / second) / (first - second),
        "ddpm": first * second * np.log(first / second) / (first - second),
    }
    for name, variance in expected.items():
        sampler, _, tolerance = SAMPLERS[name]
        weights = weigh(experts, "equal", sampler.timesteps)
        _, covariance = draw_law(sampler, [*experts, PRIOR], weights)
        np.testing.assert_allclose(covariance, variance * IDENTITY, atol=tolerance)
        assert posterior(experts)[1][0, 0] < min(first, second) < variance


def test_scores_added_up_at_every_noise_level_are_too_sure():
    # Noisy sources are no longer independent given x_t: weights (1, 1, -1), right without noise,
    # count what the sources share twice. Deterministically the variances are multiplied.
    experts = EQUALLY_INFORMED[:2]
    sampler, _, tolerance = SAMPLERS["dpm_solver_ode"]
    weights = np.tile([1.0, 1.0, -1.0], (len(sampler.timesteps), 1))
    _, covariance = draw_law(sampler, [*experts, PRIOR], weights)
    product = experts[0].covariance @ experts[1].covariance
    np.testing.assert_allclose(covariance, product, atol=tolerance)
    assert product[0, 0] < 0.7 * posterior(experts)[1][0, 0]


def test_a_deterministic_sampler_keeps_the_errors_that_a_stochastic_one_forgets():
    # Noise estimates 5 % too small while there is much noise, as of networks that predict noise.
    # By dy = (y - eps) dlambda the spread grows by exp(0.05 integral dlambda / (1 + s e^2lambda)).
    last_wrong = 600
    expert = equally_informed(1.0, [0.0, 0.0])
    spread = {}
    for name in ("dpm_solver", "dpm_solver_ode"):
        sampler, _, _ = SAMPLERS[name]
        shrunk = np.array([0.95 if t >= last_wrong else 1.0 for t in sampler.timesteps])
        _, covariance = draw_law(sampler, [expert], shrunk[:, None])
        spread[name] = (covariance[0, 0] / expert.covariance[0, 0]) ** 0.5
    ends = LAMBDAS[[-1, last_wrong]]
    integral = np.diff(ends - 0.5 * np.log1p(expert.covariance[0, 0] * np.exp(2 * ends)))[0]
    assert spread["dpm_solver_ode"] == pytest.approx(np.exp(0.05 * integral), abs=0.01)
    assert spread["dpm_solver_ode"] > 1.15
    assert spread["dpm_solver"] == pytest.approx(1.0, abs=0.01)


@cache
def ddpm_law():
    sampler = DDPMSampler(SCHEDULE)
    return draw_law(sampler, [ROUGH], np.ones((len(sampler.timesteps), 1)))


FEW_STEPS = {
    "ddim": (lambda n: DDIMSampler(SCHEDULE, n, 1.0, 2.5), 1.0, 1),
    "ddim_ode": (lambda n: DDIMSampler(SCHEDULE, n, 0.0, 2.5), 0.0, 1),
    "dpm_solver": (lambda n: DPMSolverSampler(SCHEDULE, n), 1.0, 2),
    "dpm_solver_half": (lambda n: DPMSolverSampler(SCHEDULE, n, eta=0.5), 0.5, 2),
    "dpm_solver_ode": (lambda n: DPMSolverSampler(SCHEDULE, n, eta=0.0), 0.0, 2),
}


@pytest.mark.parametrize("name", FEW_STEPS)
def test_few_steps_converge_to_the_thousand_steps_of_ddpm(name):
    make, _, order = FEW_STEPS[name]
    distances = []
    for n_steps in (10, 20, 40, 80):
        law = draw_law(make(n_steps), [ROUGH], np.ones((n_steps, 1)))
        distances.append(max(np.abs(a - b).max() for a, b in zip(law, ddpm_law(), strict=True)))
    assert (np.diff(distances) < 0).all()
    assert distances[-1] < (0.05 if order == 1 else 0.005)


@pytest.mark.parametrize("name", FEW_STEPS)
def test_the_error_of_few_steps_shrinks_with_the_order_of_the_solver(name):
    make, eta, order = FEW_STEPS[name]
    experts, weights = [ROUGH, SHARP], np.array([0.5, 0.5])
    _, limit = reverse_process_law(experts, lambda _: weights, eta)
    errors = [
        np.abs(draw_law(make(n), experts, np.tile(weights, (n, 1)))[1] - limit).max()
        for n in (20, 80)
    ]
    assert np.log2(errors[0] / errors[1]) / 2 == pytest.approx(order, abs=0.25)
