"""Fidelity: whether generated patients lie where the real ones do: Figure 1 and S1."""

import logging
from collections.abc import Mapping
from functools import partial

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.figures.drawing import Drawing, draw_reason
from tcga_coherent.held_out import HeldOut
from tcga_coherent.pipelines.arguments import LABELS, held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import study
from tcga_coherent.studies.fidelity.figure import draw_manifolds
from tcga_coherent.studies.fidelity.patient_sets import EVERY_MODALITY, patient_sets
from tcga_coherent.studies.fidelity.table import manifold_lines, manifold_table, project

logger = logging.getLogger(__name__)


def project_manifolds(
    held_out: HeldOut, labels: Mapping[str, str], parameters: EvaluationParameters
) -> tuple[pd.DataFrame, Drawing, Drawing]:
    """Project real and generated test patients: Figure 1, the figures of S1, and their numbers."""
    cohort, seed = held_out.cohort, parameters.seed
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
    cancer_types = cohort.cancer_type[cohort.test]
    whole = {EVERY_MODALITY: projections[EVERY_MODALITY]}
    single = {name: projections[name] for name in labels}
    return (
        table,
        partial(draw_manifolds, whole, cancer_types, table, {EVERY_MODALITY: ""}),
        partial(draw_manifolds, single, cancer_types, table, labels),
    )


def fidelity() -> Pipeline:
    """Return the node of the study."""
    made = ["fig1_umap_table", "fig1_umap_figure", "s1_umap_figure"]
    return study(
        "fidelity",
        ["fidelity"],
        (project_manifolds, [held_out(), LABELS, "params:evaluation"], made),
    )
