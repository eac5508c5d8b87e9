"""Trained denoisers to draws of the test split and a completed cohort."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.figures.recalibration import draw_recalibration
from tcga_coherent.pipelines.arguments import MODALITIES, sources
from tcga_coherent.pipelines.lanes import drawing, gather_rows, lane_node, study
from tcga_coherent.pipelines.partitions import conditions, latents, models

from .completion import completion_nodes
from .nodes import (
    describe_completion,
    draw_coherence_figure,
    draw_test_split,
    learn_agreement,
    recalibrate_spread,
)
from .probe import probe_coherence


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Draw the test split from all source sets, then complete every patient of the cohort."""
    modalities = configured_modalities()
    cohort = [
        lane_node(
            learn_agreement,
            inputs=[latents(), "split"],
            outputs="agreement",
            name="learn_agreement",
            namespace="agreement",
        ),
        gather_rows("recalibration", modalities),
        gather_rows("coherence", modalities),
        gather_rows("coherence_probe", modalities, "coherence_probe"),
    ]
    shown = study(
        "report",
        [],
        (drawing(draw_recalibration), ["recalibration_table", MODALITIES], "recalibration_figure"),
        (
            draw_coherence_figure,
            ["coherence_table", MODALITIES, "params:coherent_sampling"],
            "coherence_figure",
        ),
        (
            describe_completion,
            ["completed_cohort/flags", MODALITIES],
            ["completion_table", "completion_figure"],
        ),
    )
    lanes = [node for target in modalities for node in _lane(target)]
    return Pipeline([*cohort, *lanes, *completion_nodes(modalities)]) + shown


def _lane(target: str) -> list[Node]:
    recalibrated = models(target, recalibrated=True)
    return [
        lane_node(
            recalibrate_spread,
            inputs=[
                latents(),
                conditions(),
                "split",
                models(target),
                sources(),
                "params:coherent_sampling",
            ],
            outputs=[f"recalibration/{target}", f"rows/recalibration/{target}"],
            name="recalibrate_spread",
            namespace=target,
            tags=["gpu"],
            lane=target,
        ),
        lane_node(
            draw_test_split,
            inputs=[
                latents(),
                conditions(),
                "split",
                recalibrated,
                sources(),
                "params:coherent_sampling",
            ],
            outputs=[f"draws/{target}", f"rows/coherence/{target}"],
            name="draw_test_split",
            namespace=target,
            tags=["gpu"],
            lane=target,
        ),
        lane_node(
            probe_coherence,
            inputs=[
                latents(),
                conditions(),
                "split",
                recalibrated,
                "agreement",
                "params:coherent_sampling",
            ],
            outputs=f"rows/coherence_probe/{target}",
            name="probe_coherence",
            namespace=target,
            tags=["gpu"],
            lane=target,
        ),
    ]
