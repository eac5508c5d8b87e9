"""Nodes that ask for whom a missing modality is worth measuring: Figures 4 and S5."""

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
from tcga_coherent.figures.drawing import Drawing, draw_reason
from tcga_coherent.held_out import read_held_out
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.repeats import Stored, all_repeats
from tcga_coherent.studies.prioritisation.acquisition import follow_acquisitions
from tcga_coherent.studies.prioritisation.experiment import STUDY, predict_repeat
from tcga_coherent.studies.prioritisation.figure import draw_acquisition
from tcga_coherent.studies.prioritisation.inputs import (
    asked_modalities,
    counterfactual_inputs,
)
from tcga_coherent.studies.prioritisation.ranking import ranking_table
from tcga_coherent.studies.prioritisation.table import (
    area_lines,
    area_table,
    curve_table,
    curves_by_repeat,
)

logger = logging.getLogger(__name__)


def predict_counterfactuals(
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
    """Predict stage and survival with measured, missing and counterfactual modalities."""
    asked = asked_modalities(parameters.counterfactual, modalities)
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, sampling.antithetic
    )
    cohort, profiles = held_out.cohort, read_profiles(held_out)
    tasks = possible_tasks(chosen(parameters.tasks), cohort, clinical, parameters.forests)
    inputs = counterfactual_inputs(
        cohort,
        tasks,
        profiles,
        asked,
        parameters.counterfactual.n_counterfactuals,
        parameters.seed,
    )
    yield from repeat_study(
        STUDY,
        predict_repeat,
        parameters.n_repeats,
        finished,
        workers,
        inputs=inputs,
        forests=parameters.forests,
        seed=parameters.seed,
    )


def follow_acquisition(
    repeats: Stored,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    clinical: pd.DataFrame,
    modalities: dict[str, Any],
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure what acquisition gains by strategy: by repeat, its curves and its areas."""
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    predicted = all_repeats(repeats, STUDY)
    asked = asked_modalities(parameters.counterfactual, modalities)
    tasks = possible_tasks(chosen(parameters.tasks), cohort, clinical, parameters.forests)
    acquisitions = follow_acquisitions(
        predicted, tasks, asked, parameters.bootstrap, parameters.seed
    )
    areas = area_table(acquisitions, predicted, parameters.bootstrap.level)
    for line in area_lines(areas):
        logger.info(line)
    curves = curve_table(acquisitions, predicted, parameters.bootstrap.level)
    return curves_by_repeat(acquisitions), curves, areas


def rank_patients(
    repeats: Stored,
    split: pd.DataFrame,
    modalities: dict[str, Any],
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Rank the test patients by what measuring a modality may change."""
    asked = asked_modalities(parameters.counterfactual, modalities)
    tasks = chosen(parameters.tasks)
    return ranking_table(all_repeats(repeats, STUDY), tasks, split["cancer_type"], asked)


def draw_acquisition_figures(
    curves: pd.DataFrame, areas: pd.DataFrame, modalities: dict[str, Any]
) -> tuple[Drawing, Drawing]:
    """Draw Figure 4 (stage, or whatever classes are predicted) and S5 (survival)."""
    parsed = parse_modalities(modalities)
    tasks = chosen(curves["task"].unique())
    of_classes = [task for task in tasks if task.has_classes]
    of_risks = [task for task in tasks if not task.has_classes]
    return (
        partial(draw_acquisition, curves, areas, of_classes, parsed)
        if of_classes
        else partial(draw_reason, "No task predicts classes"),
        partial(draw_acquisition, curves, areas, of_risks, parsed)
        if of_risks
        else partial(draw_reason, "No task predicts a risk"),
    )
