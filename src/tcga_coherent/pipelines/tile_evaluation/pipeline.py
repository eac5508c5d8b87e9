"""From drawn tiles to what they are worth."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.histology.evaluation.figures import draw_moves, draw_programmes
from tcga_coherent.pipelines.lanes import drawing, lane_node

from .nodes import compare, measure, score_programmes, show_tiles


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the tile_evaluation pipeline."""
    settings = "params:tile_evaluation"
    return Pipeline(
        [
            lane_node(measure, ["tiles", "generated_tiles", settings], "tile_measures"),
            lane_node(
                score_programmes,
                [
                    *("tile_measures", "expression_profiles", "tile_split", "expression_encoder"),
                    *("params:gene_programmes", settings),
                ],
                ["tile_programmes_table", "moved_profiles_table", "tile_responses_table"],
            ),
            lane_node(
                compare,
                ["tiles", "generated_tiles", "tile_split", settings, "params:compute.device"],
                "tile_distances_table",
                tags=["gpu"],
            ),
            lane_node(
                show_tiles,
                ["tiles", "generated_tiles", "tile_split", settings],
                "tile_sheet_figure",
            ),
            lane_node(
                drawing(draw_programmes), ["tile_programmes_table"], "tile_programmes_figure"
            ),
            lane_node(
                drawing(draw_moves),
                ["moved_profiles_table", "tile_responses_table"],
                "moved_profiles_figure",
            ),
        ]
    )
