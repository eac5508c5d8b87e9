"""From latents to the best hyperparameters of the denoisers."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.pipelines.arguments import MODALITIES
from tcga_coherent.pipelines.lanes import lane_node
from tcga_coherent.pipelines.partitions import conditions, latents

from .nodes import draw_search, search_hyperparameters, tabulate_search


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the tuning pipeline."""
    settings = ["params:diffusion_training", "params:tuning"]
    return Pipeline(
        [
            lane_node(
                search_hyperparameters,
                [
                    latents(),
                    conditions(),
                    "split",
                    "former_tuning_state",
                    *settings,
                    "params:compute.device",
                ],
                "tuning_state",
            ),
            lane_node(
                tabulate_search,
                ["tuning_state", *settings],
                ["tuning_table", "tuning_best_table"],
            ),
            lane_node(draw_search, ["tuning_table", MODALITIES, *settings], "tuning_figure"),
        ]
    )
