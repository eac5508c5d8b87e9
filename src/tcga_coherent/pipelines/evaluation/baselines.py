"""Node that predicts the test split with the simple baselines."""

from typing import Any

import pandas as pd

from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.cohort import Partitions, read_cohort
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters


def predict_test_split(
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    parameters: EvaluationParameters,
) -> dict[str, pd.DataFrame]:
    """Predict every modality of the test patients from every set of the others."""
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    return dict(predict_baselines(cohort, parameters.baselines))
