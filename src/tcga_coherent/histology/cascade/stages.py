"""What each stage learns: the shrunken tile, and what is missing between it and the whole tile."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import TypeAdapter
from torch import Tensor

from tcga_coherent.histology.cascade.parameters import Augmentation, StageParameters, UNetParameters
from tcga_coherent.histology.cascade.preconditioning import SIGMA_DATA
from tcga_coherent.histology.cascade.unet import UNetShape

BASE, SUPER_RESOLUTION = "base", "super_resolution"
STAGES = (BASE, SUPER_RESOLUTION)
CHANNELS = 3
# Half width of the blur's kernel in low-resolution pixels.
BLUR_REACH = 2


@dataclass(frozen=True)
class TileScale:
    """How tiles become numbers of standard deviation 0.5 and mean 0, measured on training tiles.

    Attributes
    ----------
    mean
        Of each channel of shrunken tiles, in -1 to 1.
    low_sd
        Standard deviation of shrunken tiles.
    detail_sd
        Standard deviation of what tiles have beyond the shrunken ones.
    """

    mean: tuple[float, float, float]
    low_sd: float
    detail_sd: float


def measure_scale(images: NDArray[np.uint8], low_size: int) -> TileScale:
    """Measure the scale of tiles, n x size x size x 3."""
    tiles = _as_tensor(images)
    low = shrink(tiles, low_size)
    detail = tiles - enlarge(low, tiles.shape[-1])
    mean = low.mean(dim=(0, 2, 3))
    sd = (low - mean[:, None, None]).std().item()
    if not sd > 0:
        raise ValueError(
            "All training tiles have one colour: a cascade has nothing to learn from them."
        )
    # Tiles without any detail must not be divided by zero.
    return TileScale(tuple(mean.tolist()), sd, max(detail.std().item(), 1e-4))


def shrink(tiles: Tensor, size: int) -> Tensor:
    """Return means over squares of pixels."""
    return F.interpolate(tiles, size=(size, size), mode="area")


def enlarge(tiles: Tensor, size: int) -> Tensor:
    """Return tiles with interpolated pixels."""
    return F.interpolate(tiles, size=(size, size), mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Stage:
    """A stage of the cascade.

    Attributes
    ----------
    name
        ``base`` or ``super_resolution``.
    size, low_size
        Pixels of a side of what it makes, and of the base's tiles.
    scale
        Of the tiles.
    """

    name: str
    size: int
    low_size: int
    scale: TileScale

    @property
    def is_base(self) -> bool:
        """Whether it needs no tile to start from."""
        return self.name == BASE

    def shape(self, code_size: int, unet: UNetParameters) -> UNetShape:
        """Return the shape of its network."""
        inputs, levels = (CHANNELS, 1) if self.is_base else (2 * CHANNELS, 3)
        return UNetShape(self.size, inputs, CHANNELS, levels, code_size, unet)

    def clean_and_low(self, images: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        """Return what the stage learns to make, and the shrunken tiles, both scaled."""
        tiles = _as_tensor(images)
        low = shrink(tiles, self.low_size)
        scaled = self._scaled_low(low)
        if self.is_base:
            return scaled, scaled
        detail = tiles - enlarge(low, self.size)
        return detail * (SIGMA_DATA / self.scale.detail_sd), scaled

    def images(self, made: Tensor, low: Tensor | None) -> NDArray[np.uint8]:
        """Return tiles from what a stage made.

        Parameters
        ----------
        made
            Shrunken tiles of the base, details of the super-resolution.
        low
            Shrunken tiles that the details belong to; None for the base.
        """
        mean = torch.tensor(self.scale.mean)[:, None, None]
        if low is None:
            tiles = made * (self.scale.low_sd / SIGMA_DATA) + mean
        else:
            coarse = low * (self.scale.low_sd / SIGMA_DATA) + mean
            tiles = enlarge(coarse, self.size) + made * (self.scale.detail_sd / SIGMA_DATA)
        pixels = ((tiles + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(0, 2, 3, 1).contiguous().numpy()

    def _scaled_low(self, low: Tensor) -> Tensor:
        mean = torch.tensor(self.scale.mean)[:, None, None]
        return (low - mean) * (SIGMA_DATA / self.scale.low_sd)

    def describe(self) -> dict[str, Any]:
        """Return the JSON-serialisable fields."""
        return asdict(self)

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> "Stage":
        """Return a stage that was described."""
        return TypeAdapter(cls).validate_python(dict(described))


def stage_of(name: str, own: StageParameters, base: StageParameters, scale: TileScale) -> Stage:
    """Return a stage of the parameters."""
    return Stage(name, own.size, base.size, scale)


@dataclass(frozen=True)
class LowResolution:
    """Shrunken tiles as the super-resolution sees them.

    Attributes
    ----------
    tiles
        batch x 3 x size x size, blurred, noisy and enlarged.
    levels
        What was done to them, batch x 2.
    """

    tiles: Tensor
    levels: Tensor


def degrade(
    low: Tensor, size: int, noise_sd: Tensor, blur_sd: Tensor, noise: Tensor, largest: Augmentation
) -> LowResolution:
    """Blur, add noise and enlarge (conditioning augmentation of Ho et al. 2022).

    Parameters
    ----------
    low
        Scaled shrunken tiles, batch x 3 x low x low.
    size
        Pixels of a side of the result.
    noise_sd, blur_sd
        Of each tile, shape batch.
    noise
        Standard normal, of the shape of `low`.
    largest
        Amounts that the network was trained with, by which those here are told to it.
    """
    blurred = _blur(low, blur_sd)
    tiles = enlarge(blurred + noise_sd[:, None, None, None] * noise, size)
    amounts = [noise_sd / (largest.noise or 1.0), blur_sd / (largest.blur or 1.0)]
    return LowResolution(tiles, torch.stack(amounts, 1))


def _blur(tiles: Tensor, sd: Tensor) -> Tensor:
    """Blur each tile by a Gaussian of its own standard deviation; 0 leaves it as it is."""
    at = torch.arange(-BLUR_REACH, BLUR_REACH + 1, device=tiles.device)
    kernel = (-(at**2) / (2 * sd[:, None].clamp(min=1e-3) ** 2)).exp()
    kernel = kernel / kernel.sum(1, keepdim=True)
    batch, channels, height, width = tiles.shape
    kernel = kernel.repeat_interleave(channels, 0)
    padded = F.pad(tiles, [BLUR_REACH] * 4, mode="replicate").reshape(1, -1, height + 4, width + 4)
    rows = F.conv2d(padded, kernel[:, None, :, None], groups=batch * channels)
    both = F.conv2d(rows, kernel[:, None, None, :], groups=batch * channels)
    return both.reshape(tiles.shape)


def _as_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Return batch x 3 x height x width in -1 to 1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
