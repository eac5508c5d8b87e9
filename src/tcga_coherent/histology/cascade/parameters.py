"""Parameters of the cascade: networks, training, sampling."""

from dataclasses import field
from typing import Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.config import Precision
from tcga_coherent.modality import STRICT


@dataclass(frozen=True, config=STRICT)
class UNetParameters:
    """Size of a U-Net.

    Attributes
    ----------
    channels
        Of the finest level.
    multipliers
        Channels of each level in units of `channels`, from the finest; each level has half the pixels of a
        side of the one before.
    blocks
        Residual blocks of a level.
    attention_sizes
        Pixels of a side at which levels attend, to themselves and to the expression.
    tokens
        Tokens that the expression code is written as for attention.
    patch
        Pixels of a side that are folded into channels before the finest level; 1 folds none.
    """

    channels: int = Field(default=128, ge=8, multiple_of=8)
    multipliers: tuple[int, ...] = field(default=(1, 2, 2))
    blocks: int = Field(default=2, ge=1)
    attention_sizes: tuple[int, ...] = field(default=())
    tokens: int = Field(default=4, ge=1)
    patch: int = Field(default=1, ge=1)


@dataclass(frozen=True, config=STRICT)
class StageParameters:
    """One stage of the cascade.

    Attributes
    ----------
    size
        Pixels of a side of the tiles it makes.
    unet
        Its network.
    batch_size, steps, learning_rate
        Of its training with Adam.
    log_sigma_mean, log_sigma_sd
        Of the normal distribution of the logarithm of noise levels in training (Karras et al. 2022, table 1).
    """

    size: int = Field(ge=8)
    unet: UNetParameters = field(default_factory=UNetParameters)
    batch_size: int = Field(default=64, ge=2)
    steps: int = Field(default=10000, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    log_sigma_mean: float = -1.2
    log_sigma_sd: float = Field(default=1.2, gt=0)

    @model_validator(mode="after")
    def _levels_fit(self) -> "StageParameters":
        unit = self.unet.patch * 2 ** (len(self.unet.multipliers) - 1)
        if self.size % unit:
            raise ValueError(
                f"a tile of {self.size} pixels cannot be halved for {len(self.unet.multipliers)} levels and "
                f"folded by {self.unet.patch}: make `size` a multiple of {unit}"
            )
        return self


@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """What low-resolution tiles suffer in the training of the super-resolution (Ho et al. 2022).

    Attributes
    ----------
    noise
        Largest standard deviation of added noise; tiles have 0.5.
    blur
        Largest standard deviation of a Gaussian blur, in low-resolution pixels.
    """

    noise: float = Field(default=0.2, ge=0)
    blur: float = Field(default=0.6, ge=0)


@dataclass(frozen=True, config=STRICT)
class CascadeParameters:
    """The ``tile_diffusion`` parameters.

    Attributes
    ----------
    base, super_resolution
        The two stages; the second makes tiles of the size of the stored ones.
    condition_dropout
        Share of training tiles whose expression is hidden, for guidance.
    augmentation
        Of low-resolution tiles.
    ema_decay
        Decay of the moving average of the weights that is kept.
    warm_up_steps
        Steps in which the learning rate rises.
    schedule
        ``constant``, or ``cosine`` to zero at the last step.
    validate_every
        Steps between two validations; the training state is saved as often.
    validation_tiles
        Tiles of validation patients that the loss is measured on.
    precision
        Of the networks in training and sampling.
    seed
        Of weights, batches and noise.
    """

    base: StageParameters
    super_resolution: StageParameters
    condition_dropout: float = Field(default=0.1, ge=0, lt=1)
    augmentation: Augmentation = field(default_factory=Augmentation)
    ema_decay: float = Field(default=0.9999, ge=0, lt=1)
    warm_up_steps: int = Field(default=100, ge=1)
    schedule: Literal["constant", "cosine"] = "constant"
    validate_every: int = Field(default=500, ge=1)
    validation_tiles: int = Field(default=256, ge=1)
    precision: Precision = "auto"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _sizes_fit(self) -> "CascadeParameters":
        if self.super_resolution.size % self.base.size:
            raise ValueError(
                f"super_resolution.size {self.super_resolution.size} is no multiple of base.size "
                f"{self.base.size}"
            )
        return self


@dataclass(frozen=True, config=STRICT)
class SamplerParameters:
    """Karras et al. (2022), algorithm 2, of one stage; without churn it is Heun's deterministic method.

    Attributes
    ----------
    steps
        Noise levels; each but the last takes two evaluations.
    sigma_min, sigma_max, rho
        Of the schedule of noise levels, equation 5.
    s_churn, s_tmin, s_tmax, s_noise
        Noise that is added anew, where, and how much more of it.
    guidance
        Weight of the prediction with expression against that without; 1 is expression alone.
    """

    steps: int = Field(default=32, ge=2)
    sigma_min: float = Field(default=0.002, gt=0)
    sigma_max: float = Field(default=80.0, gt=0)
    rho: float = Field(default=7.0, gt=0)
    s_churn: float = Field(default=80.0, ge=0)
    s_tmin: float = Field(default=0.05, ge=0)
    s_tmax: float = Field(default=50.0, ge=0)
    s_noise: float = Field(default=1.003, gt=0)
    guidance: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _levels_fall(self) -> "SamplerParameters":
        if self.sigma_min >= self.sigma_max:
            raise ValueError(
                f"sigma_min {self.sigma_min} must lie below sigma_max {self.sigma_max}"
            )
        return self
