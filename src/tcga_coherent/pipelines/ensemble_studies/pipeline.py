"""Trained ensembles to what their weights, their rejection rule and their latent size are worth."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import Datasets, all_pairs, each, lane_node

from .hyperparameters import tabulate_hyperparameters
from .latent_sizes import tabulate_latent_sizes, train_latent_sizes
from .rejection import draw_with_thresholds, tabulate_rejection
from .weights import draw_with_weights, tabulate_weights


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the studies; the tag of each is the name of its table."""
    modalities = configured_modalities()
    models: list[Datasets] = [
        each("latents", modalities),
        "split",
        each("single", all_pairs(modalities)),
        each("multi", modalities),
        each("consensus", modalities),
    ]
    parameters = "params:ensemble_studies"
    compute = ["params:compute.device", "params:compute.workers"]
    drawing = ["params:modalities", "params:coherent_sampling", parameters, *compute]
    return Pipeline(
        [
            lane_node(
                tabulate_hyperparameters,
                inputs=[
                    "former_tuning_state",
                    "params:diffusion_training",
                    "params:tuning",
                    parameters,
                ],
                outputs="s7_hyperparameters_table",
                name="tabulate_hyperparameters",
                namespace="hyperparameters",
                tags=["s7_hyperparameters"],
            ),
            lane_node(
                draw_with_weights,
                inputs=[*models, "finished_repeats/s8_weights", *drawing],
                outputs="repeats/s8_weights",
                name="draw_with_weights",
                namespace="weights",
                tags=["s8_weights"],
            ),
            lane_node(
                tabulate_weights,
                inputs=[
                    "repeats/s8_weights",
                    *models,
                    "params:modalities",
                    parameters,
                    "params:compute.device",
                ],
                outputs=["s8_weights_table", "s8_weights_figure"],
                name="tabulate_weights",
                namespace="weights",
                tags=["s8_weights"],
            ),
            lane_node(
                draw_with_thresholds,
                inputs=[*models, "finished_repeats/s9_rejection", *drawing],
                outputs="repeats/s9_rejection",
                name="draw_with_thresholds",
                namespace="rejection",
                tags=["s9_rejection"],
            ),
            lane_node(
                tabulate_rejection,
                inputs=["repeats/s9_rejection", "params:modalities", parameters],
                outputs=["s9_rejection_table", "s9_rejection_figure"],
                name="tabulate_rejection",
                namespace="rejection",
                tags=["s9_rejection"],
            ),
            lane_node(
                train_latent_sizes,
                inputs=[
                    each("processed", modalities),
                    "split",
                    "finished_repeats/s10_latent_size",
                    "params:modalities",
                    "params:embedding",
                    "params:diffusion_training",
                    "params:coherent_sampling",
                    "params:evaluation",
                    parameters,
                    *compute,
                ],
                outputs="repeats/s10_latent_size",
                name="train_latent_sizes",
                namespace="latent_sizes",
                tags=["s10_latent_size"],
            ),
            lane_node(
                tabulate_latent_sizes,
                inputs=["repeats/s10_latent_size", "params:modalities", parameters],
                outputs=["s10_latent_size_table", "s10_latent_size_figure"],
                name="tabulate_latent_sizes",
                namespace="latent_sizes",
                tags=["s10_latent_size"],
            ),
        ]
    )
