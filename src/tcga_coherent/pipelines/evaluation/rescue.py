"""Rescue: forests meet patients who miss modalities, or were completed: Table 2, Figure 3."""

import logging
from collections.abc import Iterator, Mapping
from functools import partial

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.repeated import repeat_study
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.held_out import HeldOut
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.pipelines.arguments import MODALITIES, held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.evaluation.tasks import tasks
from tcga_coherent.pipelines.lanes import study
from tcga_coherent.repeats import Stored, all_repeats
from tcga_coherent.reported import ReportedByPaper
from tcga_coherent.studies.rescue.experiment import STUDY, predict_repeat, rescue_study
from tcga_coherent.studies.rescue.figure import draw_rescue, draw_rescue_metrics
from tcga_coherent.studies.rescue.scores import rescue_scores_by_repeat, score_rescue
from tcga_coherent.studies.rescue.table import headline_rows, rescue_table
from tcga_coherent.studies.rescue.verdict import rescue_lines, rescue_verdict

logger = logging.getLogger(__name__)


def predict_incomplete_patients(
    held_out: HeldOut,
    tasks: PossibleTasks,
    finished: Stored,
    workers: int,
    parameters: EvaluationParameters,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Train forests on whole patients; predict test patients whole, incomplete and completed."""
    inputs = rescue_study(
        held_out.cohort,
        tasks,
        read_profiles(held_out),
        parameters.forests,
        parameters.rescue.n_draws,
        parameters.n_repeats,
        parameters.seed,
    )
    yield from repeat_study(
        STUDY, predict_repeat, parameters.n_repeats, finished, workers, study=inputs
    )


def measure_rescue(
    repeats: Stored,
    tasks: PossibleTasks,
    reported: ReportedByPaper,
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score all repeats: Table 2, all scores, the verdict on them, and the scores by repeat."""
    scores = score_rescue(all_repeats(repeats, STUDY), tasks, parameters.bootstrap, parameters.seed)
    level = parameters.bootstrap.level
    table = rescue_table(scores, tasks, reported.table2, level)
    verdict = rescue_verdict(scores, tasks, level)
    for line in rescue_lines(verdict, parameters.rescue.headline_pooling):
        logger.info(line)
    return headline_rows(table), table, verdict, rescue_scores_by_repeat(scores)


def draw_rescue_figures(
    table: pd.DataFrame,
    modalities: Mapping[str, ModalityConfig],
    parameters: EvaluationParameters,
) -> tuple[Drawing, Drawing]:
    """Draw Figure 3, and the other scores and poolings."""
    pooling = parameters.rescue.headline_pooling
    return partial(draw_rescue, table, modalities, pooling), partial(
        draw_rescue_metrics, table, modalities, pooling
    )


def rescue() -> Pipeline:
    """Return the nodes of the study."""
    repeats = study(
        "rescue",
        ["rescue", "statistics"],
        (
            predict_incomplete_patients,
            [
                *(held_out(), tasks(), "finished_repeats/rescue", "params:compute.workers"),
                "params:evaluation",
            ],
            "repeats/rescue",
        ),
    )
    return repeats + study(
        "rescue",
        ["rescue"],
        (
            measure_rescue,
            ["repeats/rescue", tasks(), "params:reported_by_paper", "params:evaluation"],
            [
                *("table2_rescue_table", "s4_rescue_table", "rescue_verdict_table"),
                "rescue_by_repeat_table",
            ],
        ),
        (
            draw_rescue_figures,
            ["s4_rescue_table", MODALITIES, "params:evaluation"],
            ["fig3_rescue_figure", "s4_rescue_figure"],
        ),
    )
