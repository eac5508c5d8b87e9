"""Patients with missing modalities to completed patients."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.configuration import configured
from tcga_coherent.pipelines.bundle.pipeline import own_models
from tcga_coherent.pipelines.lanes import Argument, lane_node

from .nodes import complete_new_patients


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Complete new patients with the models of a bundle, or else of the environment."""
    is_given = configured().parameters["completion"]["models"] is not None
    own: list[Argument] = [] if is_given else [own_models(), "split"]
    return Pipeline(
        [
            lane_node(
                complete_new_patients,
                inputs=[
                    "new_patients/raw",
                    "former_completion",
                    "given_models",
                    "params:compute.device",
                    *own,
                ],
                outputs="completed_patients",
                name="complete_new_patients",
                namespace="new_patients",
                tags=["gpu"],
            )
        ]
    )
