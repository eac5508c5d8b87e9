"""From slides to stored tiles."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.pipelines.lanes import lane_node

from .nodes import index_tiles, show_slides, store_tiles


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the slide_tiling pipeline."""
    settings = "params:slide_tiling"
    return Pipeline(
        [
            lane_node(
                store_tiles, ["slides", "former_tiles", settings, "params:compute.workers"], "tiles"
            ),
            lane_node(index_tiles, ["tiles"], ["tile_index", "slides_report_table"]),
            lane_node(show_slides, ["slides", "tile_index", settings], "slides_figure"),
        ]
    )
