"""From test draws to Table 1 and Figure 1."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from .nodes import compare_reconstructions, draw_reconstruction_figure, project_manifolds


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the evaluation pipeline."""
    held_out = ["test_draws", "latents", "split", "presence", "params:modalities"]
    return Pipeline(
        [
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
                project_manifolds,
                inputs=[*held_out, "params:evaluation"],
                outputs=["fig1_umap_table", "fig1_umap_figure"],
                name="project_manifolds",
            ),
        ]
    )
