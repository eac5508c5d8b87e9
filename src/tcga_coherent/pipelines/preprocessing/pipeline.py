"""Wiring of the preprocessing."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import each, lane_node

from .nodes import (
    find_outliers,
    gather_presence,
    gather_quality_control,
    plot_quality_control,
    preprocess_modality,
    share_split,
    split_patients,
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Leave out failed measurements, split patients, fit and apply each modality's steps."""
    modalities = configured_modalities()
    cohort = [
        lane_node(
            gather_presence,
            inputs=[each("present", modalities), each("rows/excluded_patients", modalities)],
            outputs=["presence", "excluded_patients_table"],
            name="gather_presence",
            namespace="split",
        ),
        Node(
            split_patients,
            inputs=["presence", "clinical", "former_split", "given_split", "params:preprocessing"],
            outputs=["split", "split_table"],
            name="split_patients",
            namespace="split",
        ),
        lane_node(
            gather_quality_control,
            inputs=[each("rows/quality_control", modalities)],
            outputs="quality_control_table",
            name="gather_quality_control",
            namespace="report",
        ),
        Node(
            plot_quality_control,
            inputs=["quality_control_table", "split_table", "params:modalities"],
            outputs="quality_control_figure",
            name="plot_quality_control",
            namespace="report",
        ),
    ]
    return Pipeline(cohort + [node for modality in modalities for node in _lane(modality)])


def _lane(modality: str) -> list[Node]:
    config = f"params:modalities.{modality}"
    return [
        lane_node(
            find_outliers,
            inputs=[f"tables/{modality}", "clinical", config, "params:preprocessing"],
            outputs=[f"present/{modality}", f"rows/excluded_patients/{modality}"],
            name="find_outliers",
            namespace=f"outliers.{modality}",
            lane=modality,
        ),
        lane_node(
            share_split,
            inputs=["split", "presence"],
            outputs=f"split/{modality}",
            name="share_split",
            namespace=modality,
            lane=modality,
        ),
        lane_node(
            preprocess_modality,
            inputs=[
                f"tables/{modality}",
                f"split/{modality}",
                f"rows/excluded_patients/{modality}",
                config,
                "params:preprocessing",
            ],
            outputs=[
                f"processed/{modality}",
                f"preprocessors/{modality}",
                f"rows/quality_control/{modality}",
            ],
            name="preprocess",
            namespace=modality,
            lane=modality,
        ),
    ]
