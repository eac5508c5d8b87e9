"""Nodes of fidelity: whether generated patients lie where the real ones do."""

import logging
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.cohort import Partitions
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.figures.drawing import Drawing, draw_reason
from tcga_coherent.held_out import read_held_out
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.studies.fidelity.figure import draw_manifolds
from tcga_coherent.studies.fidelity.patient_sets import EVERY_MODALITY, patient_sets
from tcga_coherent.studies.fidelity.table import manifold_lines, manifold_table, project

logger = logging.getLogger(__name__)


def project_manifolds(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, Drawing, Drawing]:
    """Project real and generated test patients: Figure 1, the figures of S1, and their numbers."""
    parsed = parse_modalities(modalities)
    # Single draws and means do not depend on how draws were made.
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, antithetic=False
    )
    cohort = held_out.cohort
    seed = parameters.seed
    try:
        sets = patient_sets(held_out, seed)
        projections = project(sets, cohort, parameters.manifold, seed)
        table = manifold_table(sets, projections, parameters.manifold, parameters.bootstrap, seed)
    except CannotEvaluate as reason:
        logger.warning("No projection of patients: %s", reason)
        note = pd.DataFrame([{"space": EVERY_MODALITY, "note": str(reason)}])
        return note, partial(draw_reason, str(reason)), partial(draw_reason, str(reason))
    for line in manifold_lines(table):
        logger.info(line)
    labels = {name: config.label for name, config in parsed.items()}
    cancer_types = cohort.cancer_type[cohort.test]
    whole = {EVERY_MODALITY: projections[EVERY_MODALITY]}
    single = {name: projections[name] for name in labels}
    return (
        table,
        partial(draw_manifolds, whole, cancer_types, table, {EVERY_MODALITY: ""}),
        partial(draw_manifolds, single, cancer_types, table, labels),
    )
