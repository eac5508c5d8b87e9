"""Prioritisation: for whom a missing modality is worth measuring: Figures 4 and S5."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.repeated import repeat_study
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.figures.drawing import Drawing, draw_reason
from tcga_coherent.held_out import HeldOut
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.pipelines.arguments import MODALITIES, held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.evaluation.tasks import tasks
from tcga_coherent.pipelines.lanes import Built, study
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
    held_out: HeldOut,
    tasks: PossibleTasks,
    asked: Sequence[str],
    finished: Stored,
    workers: int,
    parameters: EvaluationParameters,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Predict stage and survival with measured, missing and counterfactual modalities."""
    inputs = counterfactual_inputs(
        held_out.cohort,
        tasks,
        read_profiles(held_out),
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
    repeats: Stored, tasks: PossibleTasks, asked: Sequence[str], parameters: EvaluationParameters
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure what acquisition gains by strategy: by repeat, its curves and its areas."""
    predicted = all_repeats(repeats, STUDY)
    acquisitions = follow_acquisitions(
        predicted, tasks, asked, parameters.bootstrap, parameters.seed
    )
    areas = area_table(acquisitions, predicted, parameters.bootstrap.level)
    for line in area_lines(areas):
        logger.info(line)
    curves = curve_table(acquisitions, predicted, parameters.bootstrap.level)
    return curves_by_repeat(acquisitions), curves, areas


def rank_patients(
    repeats: Stored, split: pd.DataFrame, asked: Sequence[str], parameters: EvaluationParameters
) -> pd.DataFrame:
    """Rank the test patients by what measuring a modality may change."""
    tasks = chosen(parameters.tasks)
    return ranking_table(all_repeats(repeats, STUDY), tasks, split["cancer_type"], asked)


def draw_acquisition_figures(
    curves: pd.DataFrame, areas: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> tuple[Drawing, Drawing]:
    """Draw Figure 4 (stage, or whatever classes are predicted) and S5 (survival)."""
    asked = chosen(curves["task"].unique())
    of_classes = [task for task in asked if task.has_classes]
    of_risks = [task for task in asked if not task.has_classes]
    return (
        partial(draw_acquisition, curves, areas, of_classes, modalities)
        if of_classes
        else partial(draw_reason, "No task predicts classes"),
        partial(draw_acquisition, curves, areas, of_risks, modalities)
        if of_risks
        else partial(draw_reason, "No task predicts a risk"),
    )


def prioritisation() -> Pipeline:
    """Return the nodes of the study."""
    asked = Built(_asked, ("params:evaluation", "params:modalities"))
    repeats = "repeats/counterfactual"
    curves, areas = "fig4_counterfactual_table", "counterfactual_area_table"
    for_statistics = study(
        "prioritisation",
        ["counterfactual", "statistics"],
        (
            predict_counterfactuals,
            [
                *(held_out(), tasks(), asked, "finished_repeats/counterfactual"),
                *("params:compute.workers", "params:evaluation"),
            ],
            repeats,
        ),
        (
            follow_acquisition,
            [repeats, tasks(), asked, "params:evaluation"],
            ["acquisition_curves", curves, areas],
        ),
    )
    return for_statistics + study(
        "prioritisation",
        ["counterfactual"],
        (
            rank_patients,
            [repeats, "split", asked, "params:evaluation"],
            "counterfactual_ranking_report_table",
        ),
        (
            draw_acquisition_figures,
            [curves, areas, MODALITIES],
            ["fig4_counterfactual_figure", "s5_counterfactual_figure"],
        ),
    )


def _asked(parameters: EvaluationParameters, modalities: dict[str, Any]) -> list[str]:
    return asked_modalities(parameters.counterfactual, modalities)
