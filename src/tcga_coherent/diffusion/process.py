"""The path from data to noise: how much of each is left at every timestep, and what follows from that.

Training, samplers and consensus know of a path no more than :class:`Process` says. A further one is a file
like ``linear_beta.py`` and a line in :data:`tcga_coherent.diffusion.config.PROCESSES`.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Seconds to import, and parameters hold a process.
    import torch


class Process(ABC):
    """``x_t = alpha_t x_0 + sigma_t eps``, with the timesteps from 0 (least noise) to ``n_timesteps - 1``.

    Subclasses are frozen pydantic dataclasses, of which parameters and checkpoints hold the fields; ``kind``
    among them names the class.
    """

    n_timesteps: int

    @property
    @abstractmethod
    def alpha(self) -> "torch.Tensor":
        """What is left of the data, shape (n_timesteps,), positive, double precision."""

    @property
    @abstractmethod
    def sigma(self) -> "torch.Tensor":
        """Standard deviation of the noise, shape (n_timesteps,), positive, double precision."""

    def add_noise(
        self, clean: "torch.Tensor", noise: "torch.Tensor", timesteps: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return ``x_t``.

        Parameters
        ----------
        clean, noise
            ``x_0`` and ``eps``, same shape.
        timesteps
            Whole numbers, broadcastable against `clean`.
        """
        alpha, sigma = self._at(timesteps, clean)
        return alpha * clean + sigma * noise

    def velocity(
        self, clean: "torch.Tensor", noise: "torch.Tensor", timesteps: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return ``v = alpha_t eps - sigma_t x_0`` (Salimans and Ho, 2022).

        Arguments as in :meth:`add_noise`; :meth:`noise_of` is the way back.
        """
        alpha, sigma = self._at(timesteps, clean)
        return alpha * noise - sigma * clean

    def noise_of(
        self, velocity: "torch.Tensor", noisy: "torch.Tensor", timestep: int
    ) -> "torch.Tensor":
        """Return ``eps`` from velocity and ``x_t``, all at one timestep."""
        alpha, sigma = self.level(timestep)
        scale = alpha**2 + sigma**2
        return alpha / scale * velocity + sigma / scale * noisy

    def expected_noise(self, noisy: "torch.Tensor", timestep: int) -> "torch.Tensor":
        """Return the mean of ``eps`` given ``x_t`` where the data are standard normal."""
        alpha, sigma = self.level(timestep)
        return sigma / (alpha**2 + sigma**2) * noisy

    def level(self, timestep: int) -> tuple[float, float]:
        """Return alpha and sigma of a timestep."""
        return float(self.alpha[timestep]), float(self.sigma[timestep])

    def _at(
        self, timesteps: "torch.Tensor", like: "torch.Tensor"
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        return self.alpha.to(like)[timesteps], self.sigma.to(like)[timesteps]
