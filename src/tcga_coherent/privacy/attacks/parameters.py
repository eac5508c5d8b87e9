"""Parameters of the attacks."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.modality import STRICT

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Pairs = Annotated[int, Field(ge=2, multiple_of=2)]
Timesteps = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


@dataclass(frozen=True, config=STRICT)
class NearestRecordParameters:
    """Distances of generated patients to measured ones.

    Attributes
    ----------
    n_draws
        Draws of each patient; half of them where draws are antithetic are independent.
    n_permutations
        Exchanges of training and held-out patients that give the spread of the null.
    """

    n_draws: Annotated[int, Field(ge=4, multiple_of=2)]
    n_permutations: Annotated[int, Field(ge=10)]


@dataclass(frozen=True, config=STRICT)
class MembershipParameters:
    """Denoising losses that tell training patients from others.

    Attributes
    ----------
    timesteps
        Noise levels, as timesteps of the process.
    n_noises
        Noises at each level, in pairs of opposite sign, the same for all patients.
    """

    timesteps: Timesteps
    n_noises: Pairs


@dataclass(frozen=True, config=STRICT)
class CanaryParameters:
    """Made-up patients that are put into trainings.

    Attributes
    ----------
    n_each
        Canaries of each kind and number of copies in each training.
    copies
        How often a canary stands in the training split.
    far_factor
        How many times farther from the mean the far canaries lie than patients do.
    n_alternatives
        Made-up targets among which the true one is ranked.
    timesteps, n_noises
        Of the losses that they are ranked by.
    """

    n_each: Count
    copies: Annotated[tuple[Count, ...], Field(min_length=1)]
    far_factor: Annotated[float, Field(gt=1)]
    n_alternatives: Annotated[int, Field(ge=1)]
    timesteps: Timesteps
    n_noises: Pairs


@dataclass(frozen=True, config=STRICT)
class ShadowParameters:
    """Trainings on random halves of the training patients, whose members are known.

    Attributes
    ----------
    n_trainings
        Trainings, in pairs on complementary halves.
    steps
        When the models are recorded, as shares of ``diffusion_training.max_steps``; the last is the
        length of the training. Below 1 what is found understates what the released models give away.
    n_draws, n_steps
        Draws of each test patient that the usefulness of recorded models is measured with, and
        sampler steps of each.
    canaries
        Made-up patients that are put into each training.
    """

    n_trainings: Annotated[int, Field(ge=4, multiple_of=2)]
    steps: Annotated[tuple[Share, ...], Field(min_length=1)]
    n_draws: Annotated[int, Field(ge=4, multiple_of=2)]
    n_steps: Annotated[int, Field(ge=2)]
    canaries: CanaryParameters

    @model_validator(mode="after")
    def _check_order(self) -> "ShadowParameters":
        if list(self.steps) != sorted(set(self.steps)):
            raise ValueError(f"steps are {list(self.steps)}: let them rise, each once.")
        return self

    def gradient_steps(self, training: TrainingConfig) -> tuple[int, ...]:
        """Return the steps at which models are recorded: validations of the released recipe.

        Parameters
        ----------
        training
            Recipe of the released models.
        """
        every, longest = training.validation.every, training.max_steps
        wanted = (max(1, round(share * longest / every)) * every for share in self.steps)
        return tuple(dict.fromkeys(min(step, longest) for step in wanted))


@dataclass(frozen=True, config=STRICT)
class AttackParameters:
    """Attacks on models and generated patients."""

    nearest_records: NearestRecordParameters
    membership: MembershipParameters
    shadows: ShadowParameters
