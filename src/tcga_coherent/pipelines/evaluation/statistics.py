"""Statistics: tests over repeats beside intervals over patients (S6)."""

import logging

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.held_out import HeldOut
from tcga_coherent.pipelines.arguments import LABELS, held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.evaluation.tasks import tasks
from tcga_coherent.pipelines.lanes import drawing, study
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
    held_out: HeldOut,
    tasks: PossibleTasks,
    clinical: pd.DataFrame,
    signal: Stored,
    rescue: Stored,
    curves_by_repeat: pd.DataFrame,
    areas: pd.DataFrame,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Test all differences between methods over repeats, with their intervals over patients."""
    cohort, profiles = held_out.cohort, read_profiles(held_out)
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


def statistics() -> Pipeline:
    """Return the nodes of the study."""
    return study(
        "statistics",
        ["statistics"],
        (
            compare_treatments,
            [
                *(held_out(), tasks(), "clinical", "repeats/signal", "repeats/rescue"),
                *("acquisition_curves", "counterfactual_area_table", "params:evaluation"),
            ],
            "s6_statistics_table",
        ),
        (drawing(draw_statistics), ["s6_statistics_table", LABELS], "s6_statistics_figure"),
    )
