"""Latents to trained denoisers."""

from typing import Any

from kedro.pipeline import Pipeline, node

from .nodes import (
    draw_training_curves_of_families,
    draw_weights_of_consensus,
    learn_consensus,
    select_denoisers,
    train_multi_denoisers,
    train_single_denoisers,
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Train both families with one engine and draw their training curves."""
    curves = node(
        draw_training_curves_of_families,
        inputs=[
            "single.training_history_table",
            "multi.training_history_table",
            "params:modalities",
        ],
        outputs="training_curves_figure",
        name="draw_training_curves",
    )
    consensus = node(
        learn_consensus,
        inputs=[
            "latents",
            "split",
            "single.denoisers",
            "multi.denoisers",
            "params:modalities",
            "params:diffusion_training",
            "params:coherent_sampling",
            "params:compute.device",
        ],
        outputs=["consensus", "consensus_weights_table"],
        name="learn_consensus",
    )
    weights = node(
        draw_weights_of_consensus,
        inputs=["consensus_weights_table", "params:modalities"],
        outputs="consensus_weights_figure",
        name="draw_consensus_weights",
    )
    return (
        _family_pipeline("single", train_single_denoisers)
        + _family_pipeline("multi", train_multi_denoisers)
        + Pipeline([curves, consensus, weights])
    )


def _family_pipeline(family: str, train: Any) -> Pipeline:
    template = Pipeline(
        [
            node(
                train,
                inputs=[
                    "latents",
                    "encoders",
                    "split",
                    "interrupted_training",
                    "params:modalities",
                    "params:diffusion_training",
                    "params:compute.device",
                ],
                outputs="training_state",
                name="train_denoisers",
            ),
            node(
                select_denoisers,
                inputs="training_state",
                outputs=["denoisers", "training_history_table"],
                name="select_denoisers",
            ),
        ]
    )
    return Pipeline(
        template,
        namespace=family,
        inputs={"latents", "encoders", "split"},
        parameters={
            "params:modalities",
            "params:diffusion_training",
            "params:compute.device",
        },
    )
