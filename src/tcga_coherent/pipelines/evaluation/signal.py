"""Nodes that test classifiers of single modalities on generated ones: Figure 2."""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.cohort import Partitions, read_cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.repeated import repeat_study
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.held_out import read_held_out
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.repeats import Stored, all_repeats
from tcga_coherent.studies.signal.claims import claim_lines, claims_table
from tcga_coherent.studies.signal.experiment import STUDY, predict_repeat, signal_cells
from tcga_coherent.studies.signal.figure import draw_signal
from tcga_coherent.studies.signal.table import signal_lines, signal_table

logger = logging.getLogger(__name__)


def classify_modalities(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    clinical: pd.DataFrame,
    finished: Stored,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    workers: int,
    parameters: EvaluationParameters,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Train a forest a task, modality and repeat; classify measured and generated test patients."""
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, sampling.antithetic
    )
    cohort, profiles = held_out.cohort, read_profiles(held_out)
    yield from repeat_study(
        STUDY,
        predict_repeat,
        parameters.n_repeats,
        finished,
        workers,
        cells=list(signal_cells(cohort, clinical, profiles, parameters.n_repeats)),
        forests=parameters.forests,
        seed=parameters.seed,
    )


def measure_signal(
    repeats: Stored,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    clinical: pd.DataFrame,
    modalities: dict[str, Any],
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the classes of all repeats, and check what the paper says of them."""
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    table = signal_table(
        all_repeats(repeats, STUDY),
        cohort,
        clinical,
        parameters.bootstrap,
        parameters.signal.reported,
        parameters.seed,
    )
    claims = claims_table(table, parameters.signal)
    for line in [*signal_lines(table), *claim_lines(claims)]:
        logger.info(line)
    return table, claims


def draw_signal_figure(table: pd.DataFrame, modalities: dict[str, Any]) -> Drawing:
    """Draw Figure 2."""
    return partial(draw_signal, table, parse_modalities(modalities))
