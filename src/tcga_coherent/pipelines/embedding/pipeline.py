"""Wiring of the embedding."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import each, lane_node

from .nodes import encode_modality, gather_encoders


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Fit an encoder for each modality, embed all patients, report what is lost."""
    modalities = configured_modalities()
    lanes = [
        lane_node(
            encode_modality,
            inputs=[
                f"processed/{modality}",
                f"split/{modality}",
                "clinical",
                f"params:modalities.{modality}",
                "params:embedding",
                "params:compute.device",
            ],
            outputs=[
                f"encoders/{modality}",
                f"latents/{modality}",
                f"codes/{modality}",
                f"rows/embedding/{modality}",
                f"rows/embedding_history/{modality}",
            ],
            name="encode",
            namespace=modality,
            lane=modality,
        )
        for modality in modalities
    ]
    gathered = lane_node(
        gather_encoders,
        inputs=[
            each("rows/embedding", modalities),
            each("rows/embedding_history", modalities),
            "params:modalities",
        ],
        outputs=["embedding_table", "embedding_figure"],
        name="gather_encoders",
        namespace="report",
    )
    return Pipeline([*lanes, gathered])
