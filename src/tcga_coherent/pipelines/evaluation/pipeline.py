"""From test draws to tables and figures: a study is a line here, and its tag runs it alone."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from .baselines import baselines
from .calibration import calibration
from .coherence import coherence
from .fidelity import fidelity
from .prioritisation import prioritisation
from .reconstruction import reconstruction
from .report import export_latex, write_report
from .rescue import rescue
from .signal import signal
from .statistics import statistics

COMPARED_WITH_BASELINES = (
    fidelity,
    reconstruction,
    calibration,
    signal,
    rescue,
    prioritisation,
    statistics,
)
STUDIES = (*COMPARED_WITH_BASELINES, coherence)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the evaluation pipeline."""
    parts = sum((study() for study in STUDIES), Pipeline([]))
    # Whichever part runs alone finds its baselines.
    compared = {
        tag for study in COMPARED_WITH_BASELINES for node in study().nodes for tag in node.tags
    }
    parts += baselines(sorted(compared))
    return parts + _report(parts)


def _report(parts: Pipeline) -> Pipeline:
    """Show all tables and figures that the nodes of `parts` make, whichever these are."""
    made = [name for name in parts.all_outputs() if name.endswith(("_table", "_figure"))]
    inputs = {
        "reporting_folder": "reporting_folder",
        "parameters": "parameters",
        "reported": "params:reported_by_paper",
        **{name: name for name in sorted(made)},
    }
    return Pipeline(
        [
            Node(
                write_report,
                inputs={**inputs, "node_times": "node_times"},
                outputs="report",
                name="write_report",
                namespace="report",
                tags=["report"],
            ),
            Node(
                export_latex,
                inputs=inputs,
                outputs="latex_tables",
                name="export_latex",
                namespace="report",
                tags=["report"],
            ),
        ]
    )
