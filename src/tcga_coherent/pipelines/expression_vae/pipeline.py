"""From expression to the code that tiles are drawn from."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.pipelines.lanes import lane_node

from .nodes import fit_code, split_patients


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the expression_vae pipeline."""
    return Pipeline(
        [
            lane_node(
                split_patients,
                ["expression_profiles", "patient_groups", "tile_index", "params:expression_vae"],
                "tile_split",
            ),
            lane_node(
                fit_code,
                [
                    "expression_profiles",
                    "tile_split",
                    "params:expression_vae",
                    "params:compute.device",
                ],
                ["expression_encoder", "expression_codes", "expression_code_table"],
                tags=["gpu"],
            ),
        ]
    )
