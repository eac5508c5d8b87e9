"""Noise schedule of the forward diffusion process."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class NoiseSchedule:
    """Linear schedule of Ho et al. (2020): ``beta`` rises evenly over the timesteps.

    Timesteps count from 0 (least noise) to ``n_timesteps - 1``; the paper counts from 1.

    Attributes
    ----------
    n_timesteps
        Number of noising steps T.
    beta_start, beta_end
        Variance of the first and of the last noising step.
    """

    n_timesteps: int = 1000
    beta_start: float = 1e-4
    beta_end: float = 0.02

    @property
    def betas(self) -> torch.Tensor:
        """Variances ``beta_t``, shape (n_timesteps,), double precision."""
        return torch.linspace(self.beta_start, self.beta_end, self.n_timesteps, dtype=torch.float64)

    @property
    def alphas_cumprod(self) -> torch.Tensor:
        """Signal retention ``alpha_bar_t`` (eq. 2), shape (n_timesteps,), double precision."""
        return torch.cumprod(1.0 - self.betas, dim=0)

    def add_noise(
        self, clean: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor
    ) -> torch.Tensor:
        """Return ``x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps`` (eq. 2).

        Parameters
        ----------
        clean, noise
            ``x_0`` and ``eps``, same shape.
        timesteps
            Whole numbers, broadcastable against `clean`.
        """
        alpha_bar = self.alphas_cumprod.to(clean)[timesteps]
        return alpha_bar.sqrt() * clean + (1.0 - alpha_bar).sqrt() * noise

    def velocity(
        self, clean: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor
    ) -> torch.Tensor:
        """Return ``v = sqrt(alpha_bar_t) eps - sqrt(1 - alpha_bar_t) x_0`` (Salimans and Ho, 2022).

        Arguments as in :meth:`add_noise`. The noise follows from it as
        ``eps = sqrt(alpha_bar_t) v + sqrt(1 - alpha_bar_t) x_t``.
        """
        alpha_bar = self.alphas_cumprod.to(clean)[timesteps]
        return alpha_bar.sqrt() * noise - (1.0 - alpha_bar).sqrt() * clean
