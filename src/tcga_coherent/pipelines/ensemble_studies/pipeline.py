"""Trained ensembles to what their weights, their rejection rule and their latent size are worth."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.arguments import MODALITIES
from tcga_coherent.pipelines.lanes import drawing, each, study
from tcga_coherent.studies.latent_sizes.figure import draw_latent_sizes
from tcga_coherent.studies.rejection.figure import draw_rejection
from tcga_coherent.studies.weights.figure import draw_weights

from .drawing import unseen_patients
from .hyperparameters import tabulate_hyperparameters
from .latent_sizes import tabulate_latent_sizes, train_latent_sizes
from .rejection import draw_with_thresholds, tabulate_rejection
from .weights import draw_with_weights, tabulate_weights

PARAMETERS = "params:ensemble_studies"


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the studies; the tag of each is the name of its table."""
    drawn = ["params:coherent_sampling", PARAMETERS, "params:compute.workers"]
    hyperparameters = study(
        "hyperparameters",
        ["s7_hyperparameters"],
        (
            tabulate_hyperparameters,
            ["former_tuning_state", "params:diffusion_training", "params:tuning", PARAMETERS],
            "s7_hyperparameters_table",
        ),
    )
    weights = study(
        "weights",
        ["s8_weights"],
        (
            draw_with_weights,
            [unseen_patients(), "finished_repeats/s8_weights", *drawn],
            "repeats/s8_weights",
        ),
        (
            tabulate_weights,
            ["repeats/s8_weights", unseen_patients(), PARAMETERS],
            "s8_weights_table",
        ),
        (drawing(draw_weights), ["s8_weights_table", MODALITIES], "s8_weights_figure"),
    )
    rejection = study(
        "rejection",
        ["s9_rejection"],
        (
            draw_with_thresholds,
            [unseen_patients(), "finished_repeats/s9_rejection", *drawn],
            "repeats/s9_rejection",
        ),
        (tabulate_rejection, ["repeats/s9_rejection", PARAMETERS], "s9_rejection_table"),
        (drawing(draw_rejection), ["s9_rejection_table", MODALITIES], "s9_rejection_figure"),
    )
    latent_sizes = study(
        "latent_sizes",
        ["s10_latent_size"],
        (
            train_latent_sizes,
            [
                *(each("processed", configured_modalities()), "split", "clinical"),
                *("finished_repeats/s10_latent_size", "params:modalities", "params:embedding"),
                *("params:diffusion_training", "params:coherent_sampling", "params:evaluation"),
                *(PARAMETERS, "params:compute.device", "params:compute.workers"),
            ],
            "repeats/s10_latent_size",
        ),
        (tabulate_latent_sizes, ["repeats/s10_latent_size", PARAMETERS], "s10_latent_size_table"),
        (
            drawing(draw_latent_sizes),
            ["s10_latent_size_table", MODALITIES],
            "s10_latent_size_figure",
        ),
    )
    return hyperparameters + weights + rejection + latent_sizes
