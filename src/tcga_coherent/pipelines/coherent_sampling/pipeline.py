"""Trained denoisers to draws of the test split and a completed cohort."""

from typing import Any

from kedro.pipeline import Pipeline, node

from tcga_coherent.pipelines.complete.pipeline import create_completion_pipeline

from .nodes import describe_completion, draw_coherence_figure, draw_test_split


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Draw the test split from all source sets, then complete every patient of the cohort."""
    test_split = Pipeline(
        [
            node(
                draw_test_split,
                inputs=[
                    "latents",
                    "split",
                    "single.denoisers",
                    "multi.denoisers",
                    "consensus",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:compute.device",
                ],
                outputs=["test_draws", "coherence_table"],
                name="draw_test_split",
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
    return test_split + completion + Pipeline([description])
