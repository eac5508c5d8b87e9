"""The evaluation's report, whichever tables and figures there are: after a part of it, or after others."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.pipelines.evaluation.report import export_latex, write_report


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the report's nodes without the evaluation that they end."""
    inputs = {
        "reporting_folder": "reporting_folder",
        "parameters": "parameters",
        "reported": "params:reported_by_paper",
    }
    return Pipeline(
        [
            Node(
                write_report,
                inputs={**inputs, "node_times": "node_times"},
                outputs="report",
                name="write_report",
            ),
            Node(export_latex, inputs=inputs, outputs="latex_tables", name="export_latex"),
        ]
    )
