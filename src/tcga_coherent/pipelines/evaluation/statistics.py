"""Nodes of appendix S6: tests over repeats beside intervals over patients."""

import logging
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.cohort import Partitions
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.task import possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.held_out import read_held_out
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.repeats import Stored, all_repeats
from tcga_coherent.studies.statistics.downstream import (
    RESCUE,
    acquisition_comparisons,
    acquisition_differences,
    rescue_comparisons,
)
from tcga_coherent.studies.statistics.figure import draw_statistics
from tcga_coherent.studies.statistics.sources import (
    SIGNAL,
    reconstruction_comparisons,
    signal_comparisons,
)
from tcga_coherent.studies.statistics.table import statistics_lines, statistics_table

logger = logging.getLogger(__name__)


def compare_treatments(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    clinical: pd.DataFrame,
    signal: Stored,
    rescue: Stored,
    curves_by_repeat: pd.DataFrame,
    areas: pd.DataFrame,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Test all differences between methods over repeats, with their intervals over patients."""
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, sampling.antithetic
    )
    cohort, profiles = held_out.cohort, read_profiles(held_out)
    tasks = possible_tasks(chosen(parameters.tasks), cohort, clinical, parameters.forests)
    samples = (parameters.bootstrap, parameters.seed)
    comparisons = [
        *reconstruction_comparisons(profiles, parameters.n_repeats, *samples),
        *signal_comparisons(all_repeats(signal, SIGNAL), cohort, clinical, *samples),
        *rescue_comparisons(
            all_repeats(rescue, RESCUE), tasks, parameters.rescue.headline_pooling, *samples
        ),
        *acquisition_comparisons(curves_by_repeat),
    ]
    table = statistics_table(
        comparisons, parameters.bootstrap.level, acquisition_differences(areas)
    )
    for line in statistics_lines(table):
        logger.info(line)
    return table


def draw_statistics_figure(table: pd.DataFrame, modalities: dict[str, Any]) -> Drawing:
    """Draw the headline differences."""
    labels = {name: config.label for name, config in parse_modalities(modalities).items()}
    return partial(draw_statistics, table, labels)
