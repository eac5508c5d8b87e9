"""Signal: classifiers of single modalities meet generated ones: Figure 2."""

import logging
from collections.abc import Iterator

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.repeated import repeat_study
from tcga_coherent.held_out import HeldOut
from tcga_coherent.pipelines.arguments import MODALITIES, cohort, held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import drawing, study
from tcga_coherent.repeats import Stored, all_repeats
from tcga_coherent.studies.signal.claims import claim_lines, claims_table
from tcga_coherent.studies.signal.experiment import STUDY, predict_repeat, signal_cells
from tcga_coherent.studies.signal.figure import draw_signal
from tcga_coherent.studies.signal.table import signal_lines, signal_table

logger = logging.getLogger(__name__)


def classify_modalities(
    held_out: HeldOut,
    clinical: pd.DataFrame,
    finished: Stored,
    workers: int,
    parameters: EvaluationParameters,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Train a forest a task, modality and repeat; classify measured and generated test patients."""
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
    repeats: Stored, cohort: Cohort, clinical: pd.DataFrame, parameters: EvaluationParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the classes of all repeats, and check what the paper says of them."""
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


def signal() -> Pipeline:
    """Return the nodes of the study."""
    repeats = study(
        "signal",
        ["signal", "statistics"],
        (
            classify_modalities,
            [
                *(held_out(), "clinical", "finished_repeats/signal", "params:compute.workers"),
                "params:evaluation",
            ],
            "repeats/signal",
        ),
    )
    return repeats + study(
        "signal",
        ["signal"],
        (
            measure_signal,
            ["repeats/signal", cohort(), "clinical", "params:evaluation"],
            ["fig2_signal_table", "signal_claims_table"],
        ),
        (drawing(draw_signal), ["fig2_signal_table", MODALITIES], "fig2_signal_figure"),
    )
