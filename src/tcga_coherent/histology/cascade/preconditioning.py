"""Preconditioning and training target of Karras et al., "Elucidating the design space of diffusion-based generative models" (2022)."""

from dataclasses import dataclass

import torch
from torch import Tensor

# Standard deviation that tiles are scaled to, for which the paper's noise levels are made.
SIGMA_DATA = 0.5


@dataclass(frozen=True)
class Preconditioning:
    """Table 1, column "Ours", at noise levels of shape batch x 1 x 1 x 1.

    The denoiser is ``skip * x + out * network(in_ * x, noise)``.

    Attributes
    ----------
    skip, out, in_
        Factors, of the shape of the noise levels.
    noise
        What the network is told of the level, shape batch.
    """

    skip: Tensor
    out: Tensor
    in_: Tensor
    noise: Tensor

    @classmethod
    def at(cls, sigma: Tensor) -> "Preconditioning":
        """Return the factors at noise levels, batch x 1 x 1 x 1."""
        total = (sigma**2 + SIGMA_DATA**2).sqrt()
        return cls(
            skip=SIGMA_DATA**2 / total**2,
            out=sigma * SIGMA_DATA / total,
            in_=1 / total,
            noise=sigma.log().flatten() / 4,
        )

    def target(self, clean: Tensor, noisy: Tensor) -> Tensor:
        """Return what the network has to give, equation 8: its squared error is the weighted loss of the denoiser."""
        return (clean - self.skip * noisy) / self.out

    def denoised(self, network: Tensor, noisy: Tensor) -> Tensor:
        """Return the clean tile that an output of the network means, equation 7."""
        return self.skip * noisy + self.out * network


def draw_sigma(n: int, mean: float, sd: float, generator: torch.Generator) -> Tensor:
    """Draw noise levels of training, lognormal, batch x 1 x 1 x 1."""
    return (mean + sd * torch.randn(n, 1, 1, 1, generator=generator)).exp()
