"""Nodes that test forests on patients who miss modalities, or were completed: Table 2, Figure 3."""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.cohort import Partitions, read_cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.repeated import repeat_study
from tcga_coherent.downstream.task import possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.held_out import read_held_out
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.repeats import Stored, all_repeats
from tcga_coherent.reported import ReportedByPaper
from tcga_coherent.studies.rescue.experiment import STUDY, predict_repeat, rescue_study
from tcga_coherent.studies.rescue.figure import draw_rescue, draw_rescue_metrics
from tcga_coherent.studies.rescue.scores import rescue_scores_by_repeat, score_rescue
from tcga_coherent.studies.rescue.table import headline_rows, rescue_table
from tcga_coherent.studies.rescue.verdict import rescue_lines, rescue_verdict

logger = logging.getLogger(__name__)


def predict_incomplete_patients(
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
    """Train forests on whole patients; predict test patients whole, incomplete and completed."""
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, sampling.antithetic
    )
    cohort, profiles = held_out.cohort, read_profiles(held_out)
    tasks = possible_tasks(chosen(parameters.tasks), cohort, clinical, parameters.forests)
    study = rescue_study(
        cohort,
        tasks,
        profiles,
        parameters.forests,
        parameters.rescue.n_draws,
        parameters.n_repeats,
        parameters.seed,
    )
    yield from repeat_study(
        STUDY, predict_repeat, parameters.n_repeats, finished, workers, study=study
    )


def measure_rescue(
    repeats: Stored,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    clinical: pd.DataFrame,
    modalities: dict[str, Any],
    reported: ReportedByPaper,
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score all repeats: Table 2, all scores, the verdict on them, and the scores by repeat."""
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    tasks = possible_tasks(chosen(parameters.tasks), cohort, clinical, parameters.forests)
    scores = score_rescue(all_repeats(repeats, STUDY), tasks, parameters.bootstrap, parameters.seed)
    level = parameters.bootstrap.level
    table = rescue_table(scores, tasks, reported.table2, level)
    verdict = rescue_verdict(scores, tasks, level)
    for line in rescue_lines(verdict, parameters.rescue.headline_pooling):
        logger.info(line)
    return headline_rows(table), table, verdict, rescue_scores_by_repeat(scores)


def draw_rescue_figures(
    table: pd.DataFrame, modalities: dict[str, Any], parameters: EvaluationParameters
) -> tuple[Drawing, Drawing]:
    """Draw Figure 3, and the other scores and poolings."""
    parsed, pooling = parse_modalities(modalities), parameters.rescue.headline_pooling
    return partial(draw_rescue, table, parsed, pooling), partial(
        draw_rescue_metrics, table, parsed, pooling
    )
