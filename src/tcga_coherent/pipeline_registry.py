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
    """Return every pipeline by name; ``__default__`` is the main job.

    The nodes of a pipeline have its name as namespace, which makes it one box of the lineage.
    Datasets and parameters keep their names.
    """
    pipelines = {
        name: Pipeline(pipeline, namespace=name, prefix_datasets_with_namespace=False)
        for name, pipeline in find_pipelines(raise_errors=True).items()
    }
    # Kedro finds only the pipelines that a run asks for by name.
    if pipelines.keys() >= set(MAIN_JOB):
        pipelines["__default__"] = sum((pipelines[name] for name in MAIN_JOB), Pipeline([]))
    return pipelines
