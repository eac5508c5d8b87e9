"""Nodes of the evaluation."""

import logging
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.cohort import Partitions
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.held_out import read_held_out
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.studies.calibration.figure import (
    draw_calibration,
    draw_calibration_by_type,
)
from tcga_coherent.studies.calibration.table import calibration_lines, calibration_table
from tcga_coherent.studies.coherence.figure import draw_coherence_error
from tcga_coherent.studies.coherence.table import coherence_error_table, coherence_lines

logger = logging.getLogger(__name__)


def measure_calibration(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Measure how honest the spread of the draws from all sources is."""
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, sampling.antithetic
    )
    table = calibration_table(
        held_out, parameters.bootstrap, parameters.calibration, parameters.seed
    )
    for line in calibration_lines(table):
        logger.info(line)
    return table


def draw_calibration_figures(
    table: pd.DataFrame, modalities: dict[str, Any]
) -> tuple[Drawing, Drawing]:
    """Draw calibration over all test patients, and by cancer type."""
    parsed = parse_modalities(modalities)
    return partial(draw_calibration, table, parsed), partial(
        draw_calibration_by_type, table, parsed
    )


def judge_coherence(
    coherence_probe: pd.DataFrame, modalities: dict[str, Any], parameters: EvaluationParameters
) -> tuple[pd.DataFrame, Drawing]:
    """Measure and draw whether coherence tells error and finds swapped sources."""
    table = coherence_error_table(coherence_probe, parameters.bootstrap, parameters.seed)
    for line in coherence_lines(table):
        logger.info(line)
    return table, partial(
        draw_coherence_error, coherence_probe, table, parse_modalities(modalities)
    )
