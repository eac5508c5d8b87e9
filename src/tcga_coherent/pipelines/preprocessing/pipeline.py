"""Wiring of the preprocessing."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from .nodes import find_outliers, plot_quality_control, preprocess_modalities, split_patients


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Leave out failed measurements, split patients, fit and apply each modality's steps."""
    return Pipeline(
        [
            Node(
                find_outliers,
                inputs=["modality_tables", "clinical", "params:modalities", "params:preprocessing"],
                outputs=["presence", "excluded_patients_table"],
                name="find_outliers",
            ),
            Node(
                split_patients,
                inputs=["presence", "clinical", "params:preprocessing"],
                outputs=["split", "split_table"],
                name="split_patients",
            ),
            Node(
                preprocess_modalities,
                inputs=[
                    "modality_tables",
                    "presence",
                    "split",
                    "excluded_patients_table",
                    "params:modalities",
                    "params:preprocessing",
                ],
                outputs=["processed", "preprocessors", "quality_control_table"],
                name="preprocess_modalities",
            ),
            Node(
                plot_quality_control,
                inputs=["quality_control_table", "split_table", "params:modalities"],
                outputs="quality_control_figure",
                name="plot_quality_control",
            ),
        ]
    )
