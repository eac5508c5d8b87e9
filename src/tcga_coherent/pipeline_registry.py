"""The pipelines of the project."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

# The main job, from raw files to completed patients and the paper's tables.
MAIN_JOB = (
    "ingestion",
    "preprocessing",
    "embedding",
    "diffusion_training",
    "coherent_sampling",
    "evaluation",
)


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name; ``__default__`` is the main job."""
    pipelines = find_pipelines(raise_errors=True)
    pipelines["__default__"] = sum((pipelines[name] for name in MAIN_JOB), Pipeline([]))
    return pipelines
