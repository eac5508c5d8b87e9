"""Node that screens what was generated for records too close to a training patient."""

import logging
from collections.abc import Mapping
from functools import partial

import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import CompletionConfig
from tcga_coherent.downstream.profiles import GENERATORS
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.pipelines.partitions import Partitions
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.privacy.screening.experiment import (
    COMPLETED,
    REGENERATED,
    TEST,
    Generated,
    flagged_records,
    screen,
)
from tcga_coherent.privacy.screening.figure import draw_screening
from tcga_coherent.privacy.screening.table import summarise_screening
from tcga_coherent.source_sets import generative_methods, partition_name

logger = logging.getLogger(__name__)


def screen_generated(
    test_draws: Partitions,
    completed_draws: Partitions,
    privacy_draws: Partitions,
    cohort: Cohort,
    modalities: Mapping[str, ModalityConfig],
    completion: CompletionConfig,
    parameters: PrivacyParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, Drawing]:
    """Flag generated records that lie closer to a training patient than held-out patients do.

    Returns
    -------
    report
        One row a flagged record; names patients.
    table
        Rate flagged of each modality, kind of records and method, beside the nominal rate.
    figure
        Distances behind the table.
    """
    generated = [
        *_of_test_patients(test_draws, cohort),
        *_completed(completed_draws, cohort, completion.method),
        *_of_training_patients(privacy_draws, cohort),
    ]
    screened, skipped = screen(cohort, generated, parameters.screening)
    table = summarise_screening(screened, skipped, parameters.bootstrap.level)
    released = table[table["records"].isin([TEST, COMPLETED])]
    logger.info(
        "Screening flagged %d of %d generated records, beyond the nominal rate in %d of %d sets",
        released["n_flagged"].sum(),
        released["n_records"].sum(),
        (released["beyond_nominal"] == "yes").sum(),
        len(released),
    )
    return flagged_records(screened), table, partial(draw_screening, screened, skipped, modalities)


def _of_test_patients(test_draws: Partitions, cohort: Cohort) -> list[Generated]:
    found = []
    for target in cohort.modalities:
        sources = tuple(name for name in cohort.modalities if name != target)
        for method in generative_methods(sources):
            draws = test_draws[partition_name(target, method, sources)]()
            found += _draws_and_means(target, method, TEST, draws)
    return found


def _completed(completed_draws: Partitions, cohort: Cohort, method: str) -> list[Generated]:
    found = []
    for target in cohort.modalities:
        draws = completed_draws[target]()
        measured = draws.index.get_level_values("patient_id").isin(cohort.latents[target].index)
        found += _draws_and_means(target, method, COMPLETED, draws[~measured])
    return found


def _of_training_patients(privacy_draws: Partitions, cohort: Cohort) -> list[Generated]:
    found = []
    for target in cohort.modalities:
        for method in GENERATORS:
            draws = privacy_draws[f"{target}/{method}"]()
            trained = draws.index.get_level_values("patient_id").isin(cohort.train)
            found.append(Generated(target, method, REGENERATED, "draw", draws[trained]))
    return found


def _draws_and_means(target: str, method: str, origin: str, draws: pd.DataFrame) -> list[Generated]:
    means = draws.groupby(level="patient_id", sort=False).mean()
    return [
        Generated(target, method, origin, "draw", draws),
        Generated(target, method, origin, "mean", means),
    ]
