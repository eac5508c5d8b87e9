"""The pipelines of the project."""

import re
from difflib import get_close_matches
from pkgutil import iter_modules

from kedro.framework.project import find_pipelines
from kedro.framework.project import pipelines as registered
from kedro.pipeline import Node, Pipeline

from tcga_coherent import pipelines as pipelines_package
from tcga_coherent.hooks.run_lock import LANES

# The main job, from raw files to completed patients and the paper's tables.
MAIN_JOB = (
    "ingestion",
    "preprocessing",
    "embedding",
    "diffusion_training",
    "coherent_sampling",
    "evaluation",
)
# From slides and expression to tiles, and what they are worth.
RNA_CDM = "rna_cdm"
TILE_JOB = ("slide_tiling", "expression_vae", "tile_diffusion", "tile_sampling", "tile_evaluation")


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name.

    ``__default__`` is the main job, ``lanes`` the same for other schedulers, ``rna_cdm`` that of tiles. The nodes of a pipeline have its name as namespace, which makes it one box of the lineage.
    Datasets and parameters keep their names.

    Raises
    ------
    ValueError
        When a run asks for a pipeline that there is not.
    """
    requested = registered._requested_pipelines
    if requested is not None and {LANES, RNA_CDM} & set(requested):
        # Made of others, which Kedro would not look for.
        registered.set_requested(None)
    try:
        found = find_pipelines(raise_errors=True)
    except ImportError as error:
        asked = re.search(r"'tcga_coherent\.pipelines\.([^']*)' module", str(error))
        known = sorted(m.name for m in iter_modules(pipelines_package.__path__) if m.ispkg)
        if asked is None or asked[1] in known:
            raise
        name = asked[1]
        similar = get_close_matches(name, known, n=1)
        raise ValueError(
            f"There is no pipeline {name!r}{f', did you mean {similar[0]!r}' if similar else ''}: there "
            f"are {', '.join(known)}."
        ) from None
    pipelines = {
        name: Pipeline(pipeline, namespace=name, prefix_datasets_with_namespace=False)
        for name, pipeline in found.items()
    }
    # Kedro finds only the pipelines that a run asks for by name.
    if pipelines.keys() >= {*MAIN_JOB, *TILE_JOB}:
        pipelines["__default__"] = sum((pipelines[name] for name in MAIN_JOB), Pipeline([]))
        pipelines[RNA_CDM] = sum((pipelines[name] for name in TILE_JOB), Pipeline([]))
        pipelines[LANES] = Pipeline([_in_one_namespace(n) for n in pipelines["__default__"].nodes])
    return pipelines


def _in_one_namespace(node: Node) -> Node:
    """Return a node whose box of the lineage, ``ingestion.cna``, is its topmost namespace, ``ingestion-cna``.

    Kedro groups nodes into the tasks of other schedulers by that.
    """
    return node._copy(namespace=(node.namespace or "").replace(".", "-"))
