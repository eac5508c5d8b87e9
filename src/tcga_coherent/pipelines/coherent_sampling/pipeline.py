"""Trained denoisers to draws of the test split and a completed cohort."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.complete.pipeline import completion_nodes
from tcga_coherent.pipelines.lanes import Datasets, each, gather_rows, lane_node, pairs_of

from .nodes import (
    describe_completion,
    draw_coherence_figure,
    draw_recalibration_figure,
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
            inputs=[each("latents", modalities), "split", "params:modalities"],
            outputs="agreement",
            name="learn_agreement",
            namespace="agreement",
        ),
        gather_rows("recalibration", modalities),
        gather_rows("coherence", modalities),
        gather_rows("coherence_probe", modalities, "coherence_probe"),
        Node(
            draw_recalibration_figure,
            inputs=["recalibration_table", "params:modalities"],
            outputs="recalibration_figure",
            name="draw_recalibration_figure",
            namespace="report",
        ),
        Node(
            draw_coherence_figure,
            inputs=["coherence_table", "params:modalities", "params:coherent_sampling"],
            outputs="coherence_figure",
            name="draw_coherence_figure",
            namespace="report",
        ),
        Node(
            describe_completion,
            inputs=["completed_cohort/flags", "params:modalities"],
            outputs=["completion_table", "completion_figure"],
            name="describe_completion",
            namespace="report",
        ),
    ]
    lanes = [node for target in modalities for node in _lane(target, modalities)]
    completion = completion_nodes(
        "completed_cohort", modalities, measured="measured", tables="tables", latents="latents"
    )
    return Pipeline([*cohort, *lanes, *completion])


def _lane(target: str, modalities: list[str]) -> list[Node]:
    models: list[Datasets] = [
        each("latents", modalities),
        "split",
        each("single", pairs_of(target, modalities)),
        each("multi", [target]),
        each("consensus", [target]),
    ]
    spread = each("recalibration", [target])
    parameters = ["params:modalities", "params:coherent_sampling", "params:compute.device"]
    return [
        lane_node(
            recalibrate_spread,
            inputs=[*models, *parameters],
            outputs=[f"recalibration/{target}", f"rows/recalibration/{target}"],
            name="recalibrate_spread",
            namespace=target,
            tags=["gpu"],
            lane=target,
        ),
        lane_node(
            draw_test_split,
            inputs=[*models, spread, *parameters],
            outputs=[f"draws/{target}", f"rows/coherence/{target}"],
            name="draw_test_split",
            namespace=target,
            tags=["gpu"],
            lane=target,
        ),
        lane_node(
            probe_coherence,
            inputs=[*models, spread, "agreement", *parameters],
            outputs=f"rows/coherence_probe/{target}",
            name="probe_coherence",
            namespace=target,
            tags=["gpu"],
            lane=target,
        ),
    ]
