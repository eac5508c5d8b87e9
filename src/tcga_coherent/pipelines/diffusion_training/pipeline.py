"""Latents to trained denoisers."""

from functools import partial
from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks
from tcga_coherent.figures.consensus import draw_consensus_weights
from tcga_coherent.pipelines.arguments import MODALITIES, sources
from tcga_coherent.pipelines.lanes import drawing, each, gather_rows, lane_node, pairs_of, study
from tcga_coherent.pipelines.partitions import conditions, latents, models

from .nodes import (
    TaskMaker,
    draw_training_curves_of_families,
    fit_linear_experts,
    learn_consensus,
    select_denoisers,
    train,
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Train both families of every target, and learn how far each denoiser may be trusted."""
    targets = configured_modalities()
    tables = [
        gather_rows(table, targets)
        for table in ("single_training_history", "multi_training_history", "consensus_weights")
    ]
    figures = study(
        "report",
        [],
        (
            draw_training_curves_of_families,
            ["single_training_history_table", "multi_training_history_table", MODALITIES],
            "training_curves_figure",
        ),
        (
            drawing(draw_consensus_weights),
            ["consensus_weights_table", MODALITIES],
            "consensus_weights_figure",
        ),
    )
    lanes = [node for target in targets for node in _lane(target, targets)]
    return Pipeline([*tables, *lanes]) + figures


def _lane(target: str, modalities: list[str]) -> list[Node]:
    consensus = lane_node(
        learn_consensus,
        inputs=[
            latents(),
            conditions(),
            "split",
            models(target, weighted=False),
            sources(),
            "params:diffusion_training",
            "params:coherent_sampling",
        ],
        outputs=[f"consensus/{target}", f"rows/consensus_weights/{target}"],
        name="learn_consensus",
        namespace=target,
        tags=["gpu"],
        lane=target,
    )
    linear = lane_node(
        fit_linear_experts,
        inputs=[
            latents(),
            conditions(),
            each("encoders", modalities),
            "split",
            sources(),
        ],
        outputs=f"linear/{target}",
        name="fit_linear_experts",
        namespace=target,
        lane=target,
    )
    return [
        linear,
        *_train(single_tasks, "single", target, pairs_of(target, modalities)),
        *_train(multi_tasks, "multi", target, [target]),
        consensus,
    ]


def _train(make_tasks: TaskMaker, family: str, target: str, denoisers: list[str]) -> list[Node]:
    return [
        lane_node(
            partial(train, make_tasks),
            inputs=[
                latents(),
                conditions(),
                each("encoders", configured_modalities()),
                "split",
                f"former_training/{family}/{target}",
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
