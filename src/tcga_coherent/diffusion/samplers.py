"""Reverse diffusion: one step of a sampler, given a noise estimate.

Both samplers share one contract: ``timesteps`` lists the timesteps to visit from noise to data,
``step(i, noisy, estimate, noise)`` goes from ``timesteps[i]`` to the next.
"""

from typing import Protocol

import torch

from tcga_coherent.diffusion.schedule import NoiseSchedule


class Sampler(Protocol):
    """What the ensemble needs of a sampler."""

    timesteps: list[int]

    def step(
        self, i: int, noisy: torch.Tensor, estimate: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Return the less noisy sample after visit `i`."""
        ...


class DDPMSampler:
    """Ancestral sampling with variance ``beta_t`` (Ho et al., 2020; paper eqs. 3 and 4).

    Parameters
    ----------
    schedule
        Noise schedule the denoiser was trained with.
    """

    def __init__(self, schedule: NoiseSchedule) -> None:
        self.timesteps = list(range(schedule.n_timesteps - 1, -1, -1))
        self._betas = schedule.betas.tolist()
        self._alphas_cumprod = schedule.alphas_cumprod.tolist()

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
        t = self.timesteps[i]
        beta, alpha_bar = self._betas[t], self._alphas_cumprod[t]
        mean = (noisy - beta / (1.0 - alpha_bar) ** 0.5 * estimate) / (1.0 - beta) ** 0.5
        return mean + beta**0.5 * noise if t > 0 else mean


class DDIMSampler:
    """Few-step sampling (Song et al., 2021, eq. 12).

    Parameters
    ----------
    schedule
        Noise schedule the denoiser was trained with.
    n_steps
        Timesteps to visit, evenly spaced from the noisiest to the first.
    eta
        Share of the ancestral sampler's noise: 1 stochastic, 0 deterministic.
    """

    def __init__(self, schedule: NoiseSchedule, n_steps: int, eta: float = 1.0) -> None:
        visits = torch.linspace(schedule.n_timesteps - 1, 0, n_steps, dtype=torch.float64)
        self.timesteps = [int(t) for t in visits.round()]
        self.eta = eta
        alphas_cumprod = schedule.alphas_cumprod.tolist()
        self._alphas_cumprod = [alphas_cumprod[t] for t in self.timesteps] + [1.0]

    def step(
        self, i: int, noisy: torch.Tensor, estimate: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Return the sample at the next visited timestep; arguments as in :class:`DDPMSampler`."""
        alpha_bar, next_alpha_bar = self._alphas_cumprod[i], self._alphas_cumprod[i + 1]
        clean = (noisy - (1.0 - alpha_bar) ** 0.5 * estimate) / alpha_bar**0.5
        variance = (
            self.eta**2
            * (1.0 - next_alpha_bar)
            / (1.0 - alpha_bar)
            * (1.0 - alpha_bar / next_alpha_bar)
        )
        direction = (1.0 - next_alpha_bar - variance) ** 0.5 * estimate
        return next_alpha_bar**0.5 * clean + direction + variance**0.5 * noise
