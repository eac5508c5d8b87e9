"""Tiles from expression codes."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tcga_coherent.histology.cascade.parameters import Augmentation, SamplerParameters
from tcga_coherent.histology.cascade.preconditioning import Preconditioning
from tcga_coherent.histology.cascade.sampler import TileNoise, sample
from tcga_coherent.histology.cascade.stages import CHANNELS, Stage, degrade
from tcga_coherent.histology.cascade.unet import UNet


@dataclass(frozen=True)
class TrainedStage:
    """A stage with its network, ready to sample.

    Attributes
    ----------
    stage
        What it makes.
    network
        In evaluation mode.
    augmentation
        What its low-resolution tiles suffered in training.
    device, precision
        Where and how it computes.
    """

    stage: Stage
    network: UNet
    augmentation: Augmentation
    device: torch.device
    precision: torch.dtype

    @torch.no_grad()
    def sample(
        self,
        codes: NDArray[np.float32],
        seeds: list[int],
        parameters: SamplerParameters,
        low: Tensor | None = None,
        noise_level: float = 0.0,
    ) -> Tensor:
        """Return what the stage makes, batch x 3 x size x size, scaled.

        Parameters
        ----------
        codes
            batch x code_size.
        seeds
            One a tile.
        parameters
            Sampler.
        low, noise_level
            Scaled shrunken tiles for the super-resolution, and the share of the largest noise of the
            training that they get.
        """
        noise = TileNoise(seeds, (CHANNELS, self.stage.size, self.stage.size))
        told = torch.from_numpy(codes).to(self.device)
        seen = None
        if low is not None:
            amount = torch.full((len(codes),), noise_level * self.augmentation.noise)
            first = TileNoise(seeds, (CHANNELS, *low.shape[2:]))()
            seen = degrade(
                low, self.stage.size, amount, torch.zeros(len(codes)), first, self.augmentation
            )

        def predict(noisy: Tensor, sigma: float, hide: bool) -> Tensor:
            factors = Preconditioning.at(torch.full((len(codes), 1, 1, 1), sigma))
            inputs, levels = factors.in_ * noisy, factors.noise[:, None]
            if seen is not None:
                inputs = torch.cat([inputs, seen.tiles], 1)
                levels = torch.cat([levels, seen.levels], 1)
            hidden = torch.full((len(codes),), hide, device=self.device)
            with torch.autocast(
                self.device.type, self.precision, enabled=self.precision != torch.float32
            ):
                output = self.network(inputs.to(self.device), levels.to(self.device), told, hidden)
            return factors.denoised(output.float().cpu(), noisy)

        def denoise(noisy: Tensor, sigma: float) -> Tensor:
            with_code = predict(noisy, sigma, hide=False)
            if parameters.guidance == 1:
                return with_code
            without = predict(noisy, sigma, hide=True)
            return without + parameters.guidance * (with_code - without)

        return sample(denoise, noise, parameters)


@dataclass(frozen=True)
class Cascade:
    """Both stages."""

    base: TrainedStage
    super_resolution: TrainedStage

    def generate(
        self,
        codes: NDArray[np.float32],
        seeds: list[int],
        base: SamplerParameters,
        super_resolution: SamplerParameters,
        noise_level: float,
    ) -> NDArray[np.uint8]:
        """Return tiles, batch x size x size x 3.

        Parameters
        ----------
        codes
            Expression codes, batch x code_size, float32.
        seeds
            One a tile; the same seed and code give the same tile.
        base, super_resolution
            Samplers.
        noise_level
            As in :meth:`TrainedStage.sample`.
        """
        low = self.base.sample(codes, [tile_seed(seed, "base") for seed in seeds], base)
        detail = self.super_resolution.sample(
            codes, [tile_seed(seed, "detail") for seed in seeds], super_resolution, low, noise_level
        )
        return self.super_resolution.stage.images(detail, low)


def tile_seed(*parts: object) -> int:
    """Return a seed that depends on all parts and on nothing else."""
    text = "\0".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
