"""From test draws to tables and figures: a study is a line here, and its tag runs it alone."""

from typing import Any

from kedro.pipeline import Pipeline

from .baselines import baselines
from .calibration import calibration
from .coherence import coherence
from .downstream import downstream
from .fidelity import fidelity
from .prioritisation import prioritisation
from .reconstruction import reconstruction
from .report import report_nodes
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
    downstream,
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the evaluation pipeline."""
    compared = sum((study() for study in COMPARED_WITH_BASELINES), Pipeline([]))
    # Whichever part runs alone finds its baselines.
    tags = sorted({tag for node in compared.nodes for tag in node.tags})
    parts = compared + coherence() + baselines(tags)
    made = (name for name in parts.all_outputs() if name.endswith(("_table", "_figure")))
    return parts + report_nodes(made)
