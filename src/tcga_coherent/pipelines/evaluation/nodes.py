"""Nodes of the evaluation."""

import logging
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.evaluation.inputs import Partitions, read_cohort
from tcga_coherent.evaluation.manifold import manifold_table, project, whole_patients
from tcga_coherent.evaluation.manifold_figure import draw_manifolds
from tcga_coherent.evaluation.reconstruction import summary_lines, table1
from tcga_coherent.evaluation.reconstruction_figure import draw_reconstruction
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters

logger = logging.getLogger(__name__)


def compare_reconstructions(
    test_draws: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Score all methods on all targets and sources: Table 1."""
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    table = table1(
        test_draws,
        cohort,
        parameters.baselines,
        parameters.bootstrap,
        parameters.reported_by_paper,
        sampling.antithetic,
        parameters.seed,
    )
    for line in summary_lines(table):
        logger.info(line)
    if (table["nominal_90"] < 0.9).any():
        logger.warning(
            "%d draws a patient reach no 90 %% interval: coverage_90 is that of their range, to be "
            "compared with nominal_90 = %.2f. Draw at least 19, or 38 antithetic ones.",
            table["n_draws"].min(),
            table["nominal_90"].min(),
        )
    return table


def draw_reconstruction_figure(table: pd.DataFrame, modalities: dict[str, Any]) -> Figure:
    """Draw Table 1."""
    labels = {name: config.label for name, config in parse_modalities(modalities).items()}
    return draw_reconstruction(table, labels)


def project_manifolds(
    test_draws: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, Figure]:
    """Project real and generated test patients: Figure 1 and its numbers."""
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    cancer_types = cohort.cancer_type[cohort.test]
    sets = whole_patients(test_draws, cohort)
    projections = project(sets, cohort, parameters.manifold, parameters.seed)
    table = manifold_table(sets, projections, cancer_types, parameters.manifold.voting_neighbors)
    return table, draw_manifolds(projections, cancer_types, table)
