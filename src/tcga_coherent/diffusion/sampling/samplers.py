"""Reverse diffusion: one step of a sampler, given a noise estimate.

All samplers share one contract: ``timesteps`` lists the timesteps to visit from noise to data,
``step(i, noisy, estimate, noise)`` goes from ``timesteps[i]`` to the next.

The noise of a stochastic sampler (``eta`` 1) makes it forget errors of the estimates; a
deterministic one (``eta`` 0) carries all of them to the end. With ``y = x / sigma`` and
``lambda`` half the logarithm of the signal-to-noise ratio it follows ``dy = (y - eps) dlambda``:
an estimate that is too small by a share delta while there is much noise multiplies the spread by
``exp(delta dlambda)``. Networks that predict noise err so, by 1 to 10 %, and their deterministic
draws have two to ten times the variance of the data, however many the steps. Networks that predict
velocity cannot, as the noise estimate holds their error times ``sqrt(alpha_bar)``; nor do several
under ``composed`` weights, which trust the standard normal expert where there is much noise.
"""

import math
from typing import Protocol

import torch

from tcga_coherent.diffusion.process import Process


class Sampler(Protocol):
    """What the ensemble needs of a sampler."""

    timesteps: list[int]

    def step(
        self, i: int, noisy: torch.Tensor, estimate: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Return the less noisy sample after visit `i`."""
        ...


class DDPMSampler:
    """Ancestral sampling, with the variance of the noise that a step adds: the paper's ``beta_t`` (eqs. 3 and 4).

    Parameters
    ----------
    process
        Path from data to noise the denoiser was trained on.
    """

    def __init__(self, process: Process) -> None:
        self.timesteps = list(range(process.n_timesteps - 1, -1, -1))
        self._levels = [process.level(t) for t in self.timesteps] + [(1.0, 0.0)]

    def step(
        self, i: int, noisy: torch.Tensor, estimate: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Return ``x_{t-1}``; the last step adds no noise.

        Parameters
        ----------
        i
            Index of the visit in ``timesteps``.
        noisy, estimate, noise
            ``x_t``, the predicted noise and fresh standard normal noise, same shape.
        """
        (alpha, sigma), (next_alpha, next_sigma) = self._levels[i : i + 2]
        kept = alpha / next_alpha
        variance = sigma**2 - kept**2 * next_sigma**2
        mean = (noisy - variance / sigma * estimate) / kept
        return mean + variance**0.5 * noise if next_sigma > 0 else mean


def spaced_timesteps(n_timesteps: int, n_steps: int, power: float) -> list[int]:
    """Return distinct timesteps from the noisiest to the first.

    Parameters
    ----------
    n_timesteps
        Number of timesteps of the process.
    n_steps
        Timesteps wanted; fewer come back where rounding makes two equal.
    power
        1 spaces them evenly, a larger power sets more of them where there is little noise.
    """
    even = torch.linspace(1.0, 0.0, n_steps, dtype=torch.float64)
    visits = (even**power * (n_timesteps - 1)).round()
    return [int(t) for t in torch.unique(visits).flip(0)]


class DDIMSampler:
    """Few-step sampling of first order (Song et al., 2021, eq. 12).

    It takes the clean estimate of a step for certain, so that few steps lose spread: about 6 % of
    the standard deviation at 50 stochastic steps.

    Parameters
    ----------
    process
        Path from data to noise the denoiser was trained on.
    n_steps
        Timesteps to visit.
    eta
        Share of the ancestral sampler's noise: 1 stochastic, 0 deterministic.
    power
        Spacing of the timesteps, see :func:`spaced_timesteps`.
    """

    def __init__(
        self, process: Process, n_steps: int, eta: float = 1.0, power: float = 1.0
    ) -> None:
        self.timesteps = spaced_timesteps(process.n_timesteps, n_steps, power)
        self.eta = eta
        self._levels = [process.level(t) for t in self.timesteps] + [(1.0, 0.0)]

    def step(
        self, i: int, noisy: torch.Tensor, estimate: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Return the sample at the next visited timestep; arguments as in :class:`DDPMSampler`."""
        (alpha, sigma), (next_alpha, next_sigma) = self._levels[i : i + 2]
        clean = (noisy - sigma * estimate) / alpha
        kept = alpha * next_sigma / (next_alpha * sigma)
        variance = self.eta**2 * next_sigma**2 * (1.0 - kept**2)
        direction = (next_sigma**2 - variance) ** 0.5 * estimate
        return next_alpha * clean + direction + variance**0.5 * noise


class DPMSolverSampler:
    """Few-step sampling of second order: DPM-Solver++(2M) (Lu et al., 2022), of any stochasticity.

    All reverse processes with drift ``(1 + eta^2) / 2`` times the score's and ``eta`` times the
    noise have the same marginals (Xue et al., 2023). In ``lambda``, half the logarithm of the
    signal-to-noise ratio, they read, with ``y = x / sigma``,

        dy = -eta^2 y dlambda + (1 + eta^2) e^lambda x_0 dlambda + sqrt(2) eta dw,

    whose linear part is solved exactly; the clean estimate ``x_0`` is taken at the middle of the
    step, extrapolated from two visits.

    Remembers the clean estimate of the step before, so a trajectory must be followed from its first
    step to its last before another is begun.

    Parameters
    ----------
    process, n_steps, power
        As in :class:`DDIMSampler`.
    eta
        Strength of the noise: 1 is SDE-DPM-Solver++(2M), which has the noise of the ancestral
        sampler, 0 the deterministic DPM-Solver++(2M), which needs half the steps.
    """

    def __init__(
        self, process: Process, n_steps: int, power: float = 2.5, eta: float = 1.0
    ) -> None:
        self.timesteps = spaced_timesteps(process.n_timesteps, n_steps, power)
        self.eta = eta
        self._levels = [process.level(t) for t in self.timesteps]
        self._lambdas = [math.log(alpha / sigma) for alpha, sigma in self._levels]
        self._previous_clean = torch.empty(0)

    def step(
        self, i: int, noisy: torch.Tensor, estimate: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Return the sample at the next visited timestep; arguments as in :class:`DDPMSampler`."""
        alpha, sigma = self._levels[i]
        clean = (noisy - sigma * estimate) / alpha
        if i + 1 == len(self.timesteps):
            return clean
        next_alpha, next_sigma = self._levels[i + 1]
        stride = self._lambdas[i + 1] - self._lambdas[i]
        extrapolated = clean
        if i > 0:
            ratio = (self._lambdas[i] - self._lambdas[i - 1]) / stride
            extrapolated = clean + (clean - self._previous_clean) / (2.0 * ratio)
        self._previous_clean = clean
        strength = self.eta**2
        kept = next_sigma / sigma * math.exp(-strength * stride)
        gained = -math.expm1(-(1.0 + strength) * stride)
        added = -math.expm1(-2.0 * strength * stride)
        return kept * noisy + next_alpha * gained * extrapolated + next_sigma * added**0.5 * noise
