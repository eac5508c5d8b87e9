"""Parameters of denoiser training."""

from dataclasses import field
from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class ScheduleConfig:
    """Noise schedule; see :class:`tcga_coherent.diffusion.schedule.NoiseSchedule`."""

    n_timesteps: int = Field(default=1000, ge=2)
    beta_start: float = Field(default=1e-4, gt=0)
    beta_end: float = Field(default=0.02, gt=0, lt=1)


@dataclass(frozen=True, config=STRICT)
class ArchitectureConfig:
    """Size of the denoiser; see :class:`tcga_coherent.diffusion.denoiser.DenoiserShape`."""

    hidden_dim: int = Field(default=256, ge=1)
    n_layers: int = Field(default=4, ge=1)
    time_dim: int = Field(default=64, ge=2, multiple_of=2)
    condition_dim: int = Field(default=32, ge=1)


@dataclass(frozen=True, config=STRICT)
class ValidationConfig:
    """How the best checkpoint is chosen.

    Attributes
    ----------
    every
        Steps between two validations; the training state is saved as often.
    criterion
        ``energy_score``, a proper score of the draws, or ``mse`` between single draws and the
        truth, which is the paper's.
    n_draws
        Draws of each validation patient.
    n_steps
        Sampler steps of these draws (stochastic DDIM).
    patience
        Validations without improvement after which a model stops.
    """

    every: int = Field(default=500, ge=1)
    criterion: Literal["energy_score", "mse"] = "energy_score"
    n_draws: int = Field(default=8, ge=2)
    n_steps: int = Field(default=20, ge=1)
    patience: int = Field(default=10, ge=1)


@dataclass(frozen=True, config=STRICT)
class TrainingConfig:
    """Training of one family of denoisers.

    Attributes
    ----------
    batch_size
        Training patients of each model in a step.
    max_steps
        Gradient steps at most.
    learning_rate, weight_decay
        Of AdamW.
    learning_rate_schedule
        ``cosine`` to zero at `max_steps`, or ``constant``.
    ema_decay
        Decay of the moving average of the weights that is validated and kept; 0 keeps the raw
        weights.
    mask_probability
        Chance that a present condition of a multi-condition model is masked in training.
    seed
        Seed of initial weights, batches and noise.
    """

    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    architecture: ArchitectureConfig = field(default_factory=ArchitectureConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    batch_size: int = Field(default=128, ge=2)
    max_steps: int = Field(default=6000, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    learning_rate_schedule: Literal["cosine", "constant"] = "cosine"
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    mask_probability: float = Field(default=0.3, ge=0, lt=1)
    seed: int = 0
