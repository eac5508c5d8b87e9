"""Trained denoisers to draws of the test split and a completed cohort."""

from typing import Any

from kedro.pipeline import Pipeline, node

from tcga_coherent.pipelines.complete.pipeline import create_completion_pipeline

from .nodes import (
    describe_completion,
    draw_coherence_figure,
    draw_recalibration_figure,
    draw_test_split,
    learn_agreement,
    recalibrate_spread,
)
from .probe import probe_coherence


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Draw the test split from all source sets, then complete every patient of the cohort."""
    models = ["single.denoisers", "multi.denoisers", "consensus"]
    parameters = ["params:modalities", "params:coherent_sampling", "params:compute.device"]
    calibration = Pipeline(
        [
            node(
                learn_agreement,
                inputs=["latents", "split", "params:modalities"],
                outputs="agreement",
                name="learn_agreement",
            ),
            node(
                recalibrate_spread,
                inputs=["latents", "split", *models, *parameters],
                outputs=["recalibration", "recalibration_table"],
                name="recalibrate_spread",
            ),
            node(
                draw_recalibration_figure,
                inputs=["recalibration_table", "params:modalities"],
                outputs="recalibration_figure",
                name="draw_recalibration_figure",
            ),
        ]
    )
    test_split = Pipeline(
        [
            node(
                draw_test_split,
                inputs=["latents", "split", *models, "recalibration", *parameters],
                outputs=["test_draws", "coherence_table"],
                name="draw_test_split",
            ),
            node(
                probe_coherence,
                inputs=["latents", "split", *models, "recalibration", "agreement", *parameters],
                outputs="coherence_probe",
                name="probe_coherence",
            ),
            node(
                draw_coherence_figure,
                inputs=["coherence_table", "params:modalities", "params:coherent_sampling"],
                outputs="coherence_figure",
                name="draw_coherence_figure",
            ),
        ]
    )
    completion = create_completion_pipeline(
        "completed_cohort", tables="modality_tables", latents="latents"
    )
    description = node(
        describe_completion,
        inputs=["completed_cohort.flags", "params:modalities"],
        outputs=["completion_table", "completion_figure"],
        name="describe_completion",
    )
    return calibration + test_split + completion + Pipeline([description])
