"""From expression to drawn tiles."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.pipelines.lanes import lane_node

from .nodes import draw


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the tile_sampling pipeline."""
    inputs = [
        *("expression_profiles", "tile_split", "expression_encoder", "expression_codes"),
        *("cascade/base", "cascade/super_resolution", "former_generated_tiles"),
        *("params:gene_programmes", "params:tile_sampling", "params:compute.device"),
    ]
    return Pipeline([lane_node(draw, inputs, "generated_tiles", tags=["gpu"])])
