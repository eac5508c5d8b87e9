"""Parameters of the studies of the ensemble."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.config import STRICT, Weighting
from tcga_coherent.diffusion.training.tuning_config import ARCHITECTURE_NAMES, TRAINING_NAMES
from tcga_coherent.measures.bootstrap import BootstrapParameters


@dataclass(frozen=True, config=STRICT)
class EnsembleStudiesParameters:
    """The ``ensemble_studies`` parameters.

    Attributes
    ----------
    seed
        Seed of the bootstrap.
    n_repeats
        Seeds of the noise, of the studies of weights and of rejection.
    n_draws
        Draws of each test patient.
    weights
        Values of ``coherent_sampling.weights`` that are compared; the paper's ``inverse_mse`` is
        among them.
    threshold_changes
        Changes of ``coherent_sampling.coherence.threshold``, as shares of it; 0 is among them.
    ancestral_steps
        Steps of the sampler that stands for the paper's in the study of rejection: stochastic and
        evenly spaced.
    latent_sizes
        Latent dimensions of every modality; fewer where a modality has not as many features.
    max_steps
        Training steps for each latent size; null for those of ``diffusion_training``.
    bootstrap
        Intervals over test patients.
    paper_grid
        The paper's grid of hyperparameters (Methods, "Model implementation and training").
    """

    seed: Annotated[int, Field(ge=0)]
    n_repeats: Annotated[int, Field(ge=1)]
    n_draws: Annotated[int, Field(ge=2)]
    weights: tuple[Weighting, ...]
    threshold_changes: tuple[Annotated[float, Field(gt=-1, le=1)], ...]
    ancestral_steps: Annotated[int, Field(ge=2)]
    latent_sizes: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    max_steps: Annotated[int, Field(ge=1)] | None
    bootstrap: BootstrapParameters
    paper_grid: dict[str, tuple[float, ...]]

    @field_validator("weights")
    @classmethod
    def _compare_with_the_papers(cls, weights: tuple[Weighting, ...]) -> tuple[Weighting, ...]:
        if "inverse_mse" not in weights:
            raise ValueError(
                "ensemble_studies.weights lacks inverse_mse, with which the others are compared: add it"
            )
        return weights

    @field_validator("threshold_changes")
    @classmethod
    def _compare_with_the_present(cls, changes: tuple[float, ...]) -> tuple[float, ...]:
        if 0 not in changes:
            raise ValueError(
                "ensemble_studies.threshold_changes lacks 0, the threshold in use, with which the "
                "others are compared: add it"
            )
        return changes

    @field_validator("paper_grid")
    @classmethod
    def _check_names(cls, grid: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for name in grid:
            if name not in ARCHITECTURE_NAMES + TRAINING_NAMES:
                raise ValueError(
                    f"ensemble_studies.paper_grid.{name} is no hyperparameter: choose among "
                    f"{', '.join(TRAINING_NAMES + ARCHITECTURE_NAMES)}"
                )
        return grid
