"""Parameters of the hyperparameter search, and settings as training parameters."""

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.config import STRICT, ArchitectureConfig, TrainingConfig

Value = int | float | str

ARCHITECTURE_NAMES = tuple(field.name for field in fields(ArchitectureConfig))
TRAINING_NAMES = (
    "learning_rate",
    "learning_rate_schedule",
    "batch_size",
    "weight_decay",
    "ema_decay",
    "mask_probability",
)


@dataclass(frozen=True, config=STRICT)
class TuningConfig:
    """The ``tuning`` parameters.

    Attributes
    ----------
    family
        Models to tune: ``single`` (one condition) or ``multi`` (masked conditions).
    models
        Names of the models, such as ``cna_from_wsi``; null tunes the whole family.
    sampler
        ``grid`` tries the points of the space in random order, each once; ``random`` draws them;
        ``tpe`` draws them where good trials lie (tree-structured Parzen estimator).
    n_trials
        Settings that are tried, besides those of ``diffusion_training``; null tries as many as the
        space has points.
    max_steps, validation_every
        Budget of a trial, in place of those of ``diffusion_training``.
    prune
        Whether a trial is stopped when, past half of its budget, its mean score over the models is
        worse than the median of the former trials at that step.
    seed
        Seed of the sampler. Trainings use the seed of ``diffusion_training``.
    space
        Hyperparameter to the values that are tried; null leaves one out.
    """

    space: dict[str, tuple[Value, ...] | None]
    family: Literal["single", "multi"] = "single"
    models: tuple[str, ...] | None = None
    sampler: Literal["grid", "random", "tpe"] = "random"
    n_trials: int | None = Field(default=20, ge=1)
    max_steps: int = Field(default=2000, ge=1)
    validation_every: int = Field(default=250, ge=1)
    prune: bool = True
    seed: int = Field(default=0, ge=0)

    @field_validator("space")
    @classmethod
    def _check_space(
        cls, space: dict[str, tuple[Value, ...] | None]
    ) -> dict[str, tuple[Value, ...] | None]:
        checked: dict[str, tuple[Value, ...] | None] = {}
        for name, values in space.items():
            if name not in ARCHITECTURE_NAMES + TRAINING_NAMES:
                raise ValueError(
                    f"tuning.space.{name} is no hyperparameter: choose among "
                    f"{', '.join(TRAINING_NAMES + ARCHITECTURE_NAMES)}"
                )
            if values is not None:
                checked[name] = _check_values(name, values)
        if not checked:
            raise ValueError("tuning.space is empty: name at least one hyperparameter")
        return checked

    @property
    def candidates(self) -> dict[str, tuple[Value, ...]]:
        """The hyperparameters that are searched, with their values."""
        return {name: values for name, values in self.space.items() if values is not None}

    @property
    def total_trials(self) -> int:
        """Settings that are tried, besides those of ``diffusion_training``."""
        points = math.prod(len(values) for values in self.candidates.values())
        if self.n_trials is None:
            return points
        return min(self.n_trials, points) if self.sampler == "grid" else self.n_trials


def nest_settings(settings: Mapping[str, Value]) -> dict[str, Any]:
    """Return settings in the shape of the ``diffusion_training`` parameters."""
    nested: dict[str, Any] = {n: v for n, v in settings.items() if n in TRAINING_NAMES}
    architecture = {n: v for n, v in settings.items() if n in ARCHITECTURE_NAMES}
    return nested | ({"architecture": architecture} if architecture else {})


def apply_settings(config: TrainingConfig, settings: Mapping[str, Value]) -> TrainingConfig:
    """Return `config` with the hyperparameters of `settings`, validated."""
    nested = nest_settings(settings)
    architecture = replace(config.architecture, **nested.pop("architecture", {}))
    return replace(config, architecture=architecture, **nested)


def current_settings(config: TrainingConfig, tuning: TuningConfig) -> dict[str, Value]:
    """Return the values that `config` has of the hyperparameters that are searched."""
    return {name: _value(config, name) for name in tuning.candidates}


def _value(config: TrainingConfig, name: str) -> Value:
    return getattr(config.architecture if name in ARCHITECTURE_NAMES else config, name)


def _check_values(name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return `values` as the training parameters hold them."""
    if not values:
        raise ValueError(f"tuning.space.{name} has no values: give some, or null to leave it out")
    checked = []
    for value in values:
        try:
            config = apply_settings(TrainingConfig(), {name: value})
        except ValidationError as error:
            raise ValueError(
                f"tuning.space.{name} has the value {value!r}: {error.errors()[0]['msg']}"
            ) from error
        checked.append(_value(config, name))
    if len(set(checked)) < len(checked):
        raise ValueError(f"tuning.space.{name} has a value twice: {list(values)}")
    return tuple(checked)
