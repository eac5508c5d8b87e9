"""From latents to the best hyperparameters of the denoisers."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import each, lane_node

from .nodes import draw_search, search_hyperparameters, tabulate_search


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the tuning pipeline."""
    return Pipeline(
        [
            lane_node(
                search_hyperparameters,
                inputs=[
                    each("latents", configured_modalities()),
                    "split",
                    "former_tuning_state",
                    "params:modalities",
                    "params:diffusion_training",
                    "params:tuning",
                    "params:compute.device",
                ],
                outputs="tuning_state",
                name="search_hyperparameters",
            ),
            Node(
                tabulate_search,
                inputs=["tuning_state", "params:diffusion_training", "params:tuning"],
                outputs=["tuning_table", "tuning_best_table"],
                name="tabulate_search",
            ),
            Node(
                draw_search,
                inputs=[
                    "tuning_table",
                    "params:modalities",
                    "params:diffusion_training",
                    "params:tuning",
                ],
                outputs="tuning_figure",
                name="draw_search",
            ),
        ]
    )
