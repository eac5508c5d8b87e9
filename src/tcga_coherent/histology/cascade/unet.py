"""U-Net of a stage: noisy tile, noise level and expression code to what the preconditioning asks for."""

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tcga_coherent.histology.cascade.parameters import UNetParameters

Layer = TypeVar("Layer", bound=nn.Module)

# Sines and cosines of each noise level.
FREQUENCIES = 16


@dataclass(frozen=True)
class UNetShape:
    """All that determines the weights of a U-Net.

    Attributes
    ----------
    size
        Pixels of a side of its tiles.
    in_channels, out_channels
        Of its input, low-resolution tile included, and of its output.
    n_levels
        Numbers that tell it of noise: that of the tile, and what the low-resolution tile suffered.
    code_size
        Numbers of an expression code.
    parameters
        Widths and depths.
    """

    size: int
    in_channels: int
    out_channels: int
    n_levels: int
    code_size: int
    parameters: UNetParameters


class UNet(nn.Module):
    """U-Net with the expression in every block (FiLM) and, where it attends, as tokens."""

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        unet = shape.parameters
        width = 4 * unet.channels
        self.frequencies: Tensor
        self.register_buffer("frequencies", 2.0 ** torch.linspace(-2, 5, FREQUENCIES))
        self.embed_levels = nn.Sequential(
            nn.Linear(2 * FREQUENCIES * shape.n_levels, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.embed_code = nn.Sequential(
            nn.Linear(shape.code_size, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.tokens = nn.Linear(shape.code_size, unet.tokens * unet.channels)
        self.no_code = nn.Parameter(torch.zeros(width))
        self.no_tokens = nn.Parameter(torch.zeros(unet.tokens, unet.channels))

        folded = unet.patch**2
        self.enter = nn.Conv2d(folded * shape.in_channels, unet.channels, 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        channels, side, skips = unet.channels, shape.size // unet.patch, [unet.channels]
        for level, multiplier in enumerate(unet.multipliers):
            for _ in range(unet.blocks):
                out = multiplier * unet.channels
                self.down.append(_Block(channels, out, width, side, unet))
                channels = out
                skips.append(channels)
            if level < len(unet.multipliers) - 1:
                self.down.append(nn.Conv2d(channels, channels, 3, stride=2, padding=1))
                side //= 2
                skips.append(channels)
        self.middle = _Block(channels, channels, width, side, unet, attends=True)
        for level, multiplier in reversed(list(enumerate(unet.multipliers))):
            for _ in range(unet.blocks + 1):
                out = multiplier * unet.channels
                self.up.append(_Block(channels + skips.pop(), out, width, side, unet))
                channels = out
            if level:
                self.up.append(_Upsample(channels))
                side *= 2
        self.leave = nn.Sequential(
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            _zero(nn.Conv2d(channels, folded * shape.out_channels, 3, padding=1)),
        )

    def forward(self, tile: Tensor, levels: Tensor, code: Tensor, hidden: Tensor) -> Tensor:
        """Return the output of the network.

        Parameters
        ----------
        tile
            batch x in_channels x size x size.
        levels
            batch x n_levels, of order one.
        code
            Expression, batch x code_size.
        hidden
            Where the expression is not told, bool, batch.
        """
        angles = (levels[:, :, None] * self.frequencies).flatten(1)
        told = self.embed_levels(torch.cat([angles.sin(), angles.cos()], 1))
        told = told + torch.where(hidden[:, None], self.no_code, self.embed_code(code))
        tokens = self.tokens(code).unflatten(1, self.no_tokens.shape)
        tokens = torch.where(hidden[:, None, None], self.no_tokens, tokens)

        patch = self.shape.parameters.patch
        x = self.enter(F.pixel_unshuffle(tile, patch))
        skips = [x]
        for layer in self.down:
            x = layer(x, told, tokens) if isinstance(layer, _Block) else layer(x)
            skips.append(x)
        x = self.middle(x, told, tokens)
        for layer in self.up:
            if isinstance(layer, _Block):
                x = layer(torch.cat([x, skips.pop()], 1), told, tokens)
            else:
                x = layer(x)
        return F.pixel_shuffle(self.leave(x), patch)


class _Block(nn.Module):
    """Residual block, scaled and shifted by what the network is told, with attention where asked for."""

    def __init__(
        self,
        channels: int,
        out: int,
        width: int,
        side: int,
        unet: UNetParameters,
        attends: bool = False,
    ) -> None:
        super().__init__()
        self.before = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, out, 3, padding=1)
        self.film = nn.Linear(width, 2 * out)
        self.between = nn.GroupNorm(8, out, affine=False)
        self.second = _zero(nn.Conv2d(out, out, 3, padding=1))
        self.skip = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()
        attends = attends or side in unet.attention_sizes
        self.attention = _Attention(out, unet.channels) if attends else None

    def forward(self, x: Tensor, told: Tensor, tokens: Tensor) -> Tensor:
        scale, shift = self.film(F.silu(told))[:, :, None, None].chunk(2, 1)
        inner = self.first(F.silu(self.before(x)))
        inner = self.second(F.silu(self.between(inner) * (1 + scale) + shift))
        x = self.skip(x) + inner
        return x if self.attention is None else self.attention(x, tokens)


class _Attention(nn.Module):
    """Pixels attend to each other and to the tokens of the expression."""

    HEAD = 32

    def __init__(self, channels: int, token_width: int) -> None:
        super().__init__()
        self.heads = max(1, channels // self.HEAD)
        self.norm = nn.GroupNorm(8, channels)
        self.query, self.out = nn.Linear(channels, channels), _zero(nn.Linear(channels, channels))
        self.own = nn.Linear(channels, 2 * channels)
        self.token = nn.Linear(token_width, 2 * channels)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        pixels = self.norm(x).flatten(2).transpose(1, 2)
        key, value = torch.cat([self.own(pixels), self.token(tokens)], 1).chunk(2, 2)
        query, key, value = map(self._split, (self.query(pixels), key, value))
        seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        return x + self.out(seen).transpose(1, 2).reshape(x.shape)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class _Upsample(nn.Module):
    """Twice the pixels of a side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def _zero(layer: Layer) -> Layer:
    """Let a layer that ends a branch add nothing at first."""
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    return layer
