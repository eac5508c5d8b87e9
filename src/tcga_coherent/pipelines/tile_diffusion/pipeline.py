"""From tiles and expression codes to a trained cascade."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.histology.cascade.stages import STAGES
from tcga_coherent.histology.evaluation.figures import draw_losses
from tcga_coherent.pipelines.lanes import drawing, gather_rows, lane_node, study

from .nodes import select_weights, train


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the tile_diffusion pipeline: a lane a stage."""
    lanes = [node for stage in STAGES for node in _lane(stage)]
    figures = study(
        "report", [], (drawing(draw_losses), "tile_training_table", "tile_training_figure")
    )
    return Pipeline([*lanes, gather_rows("tile_training", STAGES)]) + figures


def _lane(stage: str) -> list[Node]:
    training = lane_node(
        train,
        [
            *("tiles", "expression_codes", "tile_split", f"former_tile_training/{stage}"),
            *("params:tile_diffusion", "params:compute.device"),
        ],
        f"tile_training/{stage}",
        namespace=stage,
        tags=["gpu"],
        lane=stage,
    )
    selected = lane_node(
        select_weights,
        [f"tile_training/{stage}"],
        [f"cascade/{stage}", f"rows/tile_training/{stage}"],
        namespace=stage,
    )
    return [training, selected]
