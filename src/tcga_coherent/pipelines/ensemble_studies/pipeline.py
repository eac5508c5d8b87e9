"""Trained ensembles to what their weights, their rejection rule and their latent size are worth."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from .hyperparameters import tabulate_hyperparameters
from .latent_sizes import tabulate_latent_sizes, train_latent_sizes
from .rejection import draw_with_thresholds, tabulate_rejection
from .weights import draw_with_weights, tabulate_weights


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the studies; the tag of each is the name of its table."""
    models = ["latents", "split", "single.denoisers", "multi.denoisers", "consensus"]
    parameters = "params:ensemble_studies"
    compute = ["params:compute.device", "params:compute.workers"]
    drawing = ["params:modalities", "params:coherent_sampling", parameters, *compute]
    return Pipeline(
        [
            Node(
                tabulate_hyperparameters,
                inputs=[
                    "former_tuning_state",
                    "params:diffusion_training",
                    "params:tuning",
                    parameters,
                ],
                outputs="s7_hyperparameters_table",
                name="tabulate_hyperparameters",
                tags=["s7_hyperparameters"],
            ),
            Node(
                draw_with_weights,
                inputs=[*models, "s8_weights.finished_repeats", *drawing],
                outputs="s8_weights.repeats",
                name="draw_with_weights",
                tags=["s8_weights"],
            ),
            Node(
                tabulate_weights,
                inputs=[
                    "s8_weights.repeats",
                    *models,
                    "params:modalities",
                    parameters,
                    "params:compute.device",
                ],
                outputs=["s8_weights_table", "s8_weights_figure"],
                name="tabulate_weights",
                tags=["s8_weights"],
            ),
            Node(
                draw_with_thresholds,
                inputs=[*models, "s9_rejection.finished_repeats", *drawing],
                outputs="s9_rejection.repeats",
                name="draw_with_thresholds",
                tags=["s9_rejection"],
            ),
            Node(
                tabulate_rejection,
                inputs=["s9_rejection.repeats", "params:modalities", parameters],
                outputs=["s9_rejection_table", "s9_rejection_figure"],
                name="tabulate_rejection",
                tags=["s9_rejection"],
            ),
            Node(
                train_latent_sizes,
                inputs=[
                    "processed",
                    "split",
                    "s10_latent_size.finished_repeats",
                    "params:modalities",
                    "params:embedding",
                    "params:diffusion_training",
                    "params:coherent_sampling",
                    "params:evaluation",
                    parameters,
                    *compute,
                ],
                outputs="s10_latent_size.repeats",
                name="train_latent_sizes",
                tags=["s10_latent_size"],
            ),
            Node(
                tabulate_latent_sizes,
                inputs=["s10_latent_size.repeats", "params:modalities", parameters],
                outputs=["s10_latent_size_table", "s10_latent_size_figure"],
                name="tabulate_latent_sizes",
                tags=["s10_latent_size"],
            ),
        ]
    )
