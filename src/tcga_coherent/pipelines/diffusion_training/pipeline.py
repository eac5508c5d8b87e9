"""Latents to trained denoisers."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import each, gather_rows, lane_node, pairs_of

from .nodes import (
    draw_training_curves_of_families,
    draw_weights_of_consensus,
    learn_consensus,
    select_denoisers,
    train_multi,
    train_single,
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Train both families of every target, and learn how far each denoiser may be trusted."""
    targets = configured_modalities()
    tables = [
        gather_rows(table, targets)
        for table in ("single_training_history", "multi_training_history", "consensus_weights")
    ]
    figures = [
        Node(
            draw_training_curves_of_families,
            inputs=[
                "single_training_history_table",
                "multi_training_history_table",
                "params:modalities",
            ],
            outputs="training_curves_figure",
            name="draw_training_curves",
            namespace="report",
        ),
        Node(
            draw_weights_of_consensus,
            inputs=["consensus_weights_table", "params:modalities"],
            outputs="consensus_weights_figure",
            name="draw_consensus_weights",
            namespace="report",
        ),
    ]
    lanes = [node for target in targets for node in _lane(target, targets)]
    return Pipeline([*tables, *figures, *lanes])


def _lane(target: str, modalities: list[str]) -> list[Node]:
    pairs = pairs_of(target, modalities)
    consensus = lane_node(
        learn_consensus,
        inputs=[
            each("latents", modalities),
            "split",
            each("single", pairs),
            each("multi", [target]),
            "params:modalities",
            "params:diffusion_training",
            "params:coherent_sampling",
            "params:compute.device",
        ],
        outputs=[f"consensus/{target}", f"rows/consensus_weights/{target}"],
        name="learn_consensus",
        namespace=target,
        tags=["gpu"],
        lane=target,
    )
    return [
        *_train(train_single, "single", target, pairs, modalities),
        *_train(train_multi, "multi", target, [target], modalities),
        consensus,
    ]


def _train(
    train: Callable[..., Any], family: str, target: str, denoisers: list[str], modalities: list[str]
) -> list[Node]:
    return [
        lane_node(
            train,
            inputs=[
                each("latents", modalities),
                each("encoders", modalities),
                "split",
                f"former_training/{family}/{target}",
                "params:modalities",
                "params:diffusion_training",
                "params:compute.device",
            ],
            outputs=f"training/{family}/{target}",
            name=f"train_{family}",
            namespace=target,
            tags=["gpu"],
            lane=target,
        ),
        lane_node(
            select_denoisers,
            inputs=[f"training/{family}/{target}"],
            outputs=[each(family, denoisers), f"rows/{family}_training_history/{target}"],
            name=f"select_{family}",
            namespace=target,
        ),
    ]
