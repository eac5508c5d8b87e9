"""Wiring of the embedding."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from .nodes import fit_encoders


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Fit an encoder for each modality, embed all patients, report what is lost."""
    return Pipeline(
        [
            Node(
                fit_encoders,
                inputs=[
                    "processed",
                    "split",
                    "params:modalities",
                    "params:embedding",
                    "params:compute.device",
                ],
                outputs=["encoders", "latents", "embedding_table", "embedding_figure"],
                name="fit_encoders",
            )
        ]
    )
