"""From test draws to tables and figures of fidelity, calibration and coherence."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from .baselines import predict_test_split
from .nodes import (
    compare_reconstructions,
    draw_calibration_figures,
    draw_reconstruction_figure,
    judge_coherence,
    measure_calibration,
    project_manifolds,
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the evaluation pipeline."""
    held_out = ["test_draws", "latents", "split", "presence", "params:modalities"]
    return Pipeline(
        [
            Node(
                predict_test_split,
                inputs=["latents", "split", "presence", "params:modalities", "params:evaluation"],
                outputs="baseline_predictions",
                name="predict_test_split",
                tags=["baselines"],
            ),
            Node(
                compare_reconstructions,
                inputs=[*held_out, "params:coherent_sampling", "params:evaluation"],
                outputs="table1_reconstruction_table",
                name="compare_reconstructions",
            ),
            Node(
                draw_reconstruction_figure,
                inputs=["table1_reconstruction_table", "params:modalities"],
                outputs="table1_reconstruction_figure",
                name="draw_reconstruction_figure",
            ),
            Node(
                measure_calibration,
                inputs=[*held_out, "params:coherent_sampling", "params:evaluation"],
                outputs="calibration_table",
                name="measure_calibration",
            ),
            Node(
                draw_calibration_figures,
                inputs=["calibration_table", "params:modalities"],
                outputs=["calibration_figure", "calibration_by_type_figure"],
                name="draw_calibration_figures",
            ),
            Node(
                judge_coherence,
                inputs=["coherence_probe", "params:modalities", "params:evaluation"],
                outputs=["coherence_error_table", "coherence_error_figure"],
                name="judge_coherence",
            ),
            Node(
                project_manifolds,
                inputs=[*held_out, "params:evaluation"],
                outputs=["fig1_umap_table", "fig1_umap_figure"],
                name="project_manifolds",
            ),
        ]
    )
