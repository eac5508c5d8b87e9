"""Coherence: whether it tells good draws from bad ones."""

import logging

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.pipelines.arguments import MODALITIES
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import drawing, study
from tcga_coherent.studies.coherence.figure import draw_coherence_error
from tcga_coherent.studies.coherence.table import coherence_error_table, coherence_lines

logger = logging.getLogger(__name__)


def judge_coherence(
    coherence_probe: pd.DataFrame, parameters: EvaluationParameters
) -> pd.DataFrame:
    """Measure whether coherence tells error and finds swapped sources."""
    table = coherence_error_table(coherence_probe, parameters.bootstrap, parameters.seed)
    for line in coherence_lines(table):
        logger.info(line)
    return table


def coherence() -> Pipeline:
    """Return the nodes of the study."""
    return study(
        "coherence",
        ["coherence"],
        (judge_coherence, ["coherence_probe", "params:evaluation"], "coherence_error_table"),
        (
            drawing(draw_coherence_error),
            ["coherence_probe", "coherence_error_table", MODALITIES],
            "coherence_error_figure",
        ),
    )
