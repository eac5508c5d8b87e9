"""Calibration: whether the spread of draws is honest."""

import logging

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.held_out import HeldOut
from tcga_coherent.pipelines.arguments import MODALITIES, held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import drawing, study
from tcga_coherent.studies.calibration.figure import (
    draw_calibration,
    draw_calibration_by_type,
)
from tcga_coherent.studies.calibration.table import calibration_lines, calibration_table

logger = logging.getLogger(__name__)


def measure_calibration(held_out: HeldOut, parameters: EvaluationParameters) -> pd.DataFrame:
    """Measure how honest the spread of the draws from all sources is."""
    table = calibration_table(
        held_out, parameters.bootstrap, parameters.calibration, parameters.seed
    )
    for line in calibration_lines(table):
        logger.info(line)
    return table


def calibration() -> Pipeline:
    """Return the nodes of the study."""
    shown = ["calibration_table", MODALITIES]
    return study(
        "calibration",
        ["calibration"],
        (measure_calibration, [held_out(), "params:evaluation"], "calibration_table"),
        (drawing(draw_calibration), shown, "calibration_figure"),
        (drawing(draw_calibration_by_type), shown, "calibration_by_type_figure"),
    )
