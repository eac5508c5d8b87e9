"""What the attacks are made on."""

from dataclasses import replace
from typing import Any

import pandas as pd

from tcga_coherent.cohort import Cohort, read_cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.downstream.profiles import GENERATORS
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.partitions import Partitions, load_models_of_latents

# The generators that the paper holds against each other.
METHODS = GENERATORS


def load_attacked(
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    recalibration: Partitions | None,
    modalities: dict[str, Any],
    device: str,
) -> tuple[Cohort, TrainedModels]:
    """Load the cohort and the models that learned from it; arguments are datasets of these names.

    Raises
    ------
    ValueError
        When tables do not fit together, or denoisers belong to other latents.
    """
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    models = load_models_of_latents(
        cohort.latents, single_denoisers, multi_denoisers, consensus, recalibration, device
    )
    return cohort, models


def with_draws(sampling: SamplingConfig, n_draws: int) -> SamplingConfig:
    """Return the settings of draws as they are released, with another number of pairs."""
    return replace(sampling, n_draws=n_draws, antithetic=True)
