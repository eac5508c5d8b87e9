"""Stochastic sampler of Karras et al. (2022), algorithm 2."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from tcga_coherent.histology.cascade.parameters import SamplerParameters

Denoise = Callable[[Tensor, float], Tensor]


class TileNoise:
    """Noise of a batch in which every tile has its own stream: the same in any company.

    Parameters
    ----------
    seeds
        One a tile.
    shape
        Of a tile, channels x height x width.
    """

    def __init__(self, seeds: list[int], shape: tuple[int, int, int]) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]
        self._shape = shape

    def __call__(self) -> Tensor:
        """Draw standard normal noise, batch x channels x height x width."""
        drawn = [g.standard_normal(self._shape, dtype=np.float32) for g in self._generators]
        return torch.from_numpy(np.stack(drawn))


def noise_levels(parameters: SamplerParameters) -> list[float]:
    """Return the levels of equation 5, falling, with a last one of zero."""
    ramp = np.linspace(0, 1, parameters.steps)
    high, low = (s ** (1 / parameters.rho) for s in (parameters.sigma_max, parameters.sigma_min))
    return [*((high + ramp * (low - high)) ** parameters.rho).tolist(), 0.0]


def sample(denoise: Denoise, noise: Callable[[], Tensor], parameters: SamplerParameters) -> Tensor:
    """Draw a batch.

    Parameters
    ----------
    denoise
        Noisy batch and its noise level to the expected clean batch.
    noise
        Draws standard normal noise of the shape of the batch.
    parameters
        Schedule and churn.
    """
    levels = noise_levels(parameters)
    # Most that one step may add: the level rises by a factor of the root of two.
    most = min(parameters.s_churn / parameters.steps, np.sqrt(2) - 1)
    x = noise() * levels[0]
    for level, following in pairwise(levels):
        gamma = most if parameters.s_tmin <= level <= parameters.s_tmax else 0.0
        raised = level * (1 + gamma)
        if gamma > 0:
            added = float(np.sqrt(raised**2 - level**2)) * parameters.s_noise
            x = x + added * noise().to(x.device)
        slope = (x - denoise(x, raised)) / raised
        ahead = x + (following - raised) * slope
        if following > 0:
            second = (ahead - denoise(ahead, following)) / following
            ahead = x + (following - raised) * (slope + second) / 2
        x = ahead
    return x
