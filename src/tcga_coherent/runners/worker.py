"""What a worker does of a run: one node at a time, as the run's own process would do it."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kedro.framework.hooks.manager import (
    _create_hook_manager,
    _register_hooks,
    _register_hooks_entry_points,
)
from kedro.framework.project import configure_project, settings
from kedro.io import DataCatalog
from kedro.pipeline.node import Node
from kedro.runner.task import Task

from tcga_coherent import __version__


@dataclass(frozen=True)
class NodeRun:
    """A node and what it needs of its run.

    Attributes
    ----------
    node
        The node.
    catalog
        Its datasets.
    parameters, environment
        Of the run, as configured.
    project
        Root of the project, where relative paths begin.
    threads
        CPU threads of numerical libraries.
    run_id
        Kedro's.
    """

    node: Node
    catalog: DataCatalog
    parameters: dict[str, Any] | None
    environment: str
    project: Path
    threads: int
    run_id: str | None


def see_project(mark: Path) -> tuple[bool, str]:
    """Return whether this worker sees a file, and its version of the package."""
    return mark.is_file(), __version__


def run_node(run: NodeRun) -> None:
    """Load the inputs of a node, call it and save its outputs, hooks included.

    Studies spread their repeats over the workers of the same cluster.
    """
    import joblib

    from tcga_coherent.hooks.compute import limit_threads

    os.chdir(run.project)
    limit_threads(run.threads)
    hook_manager = _hook_manager()
    for hook in settings.HOOKS:
        if hasattr(hook, "join_run"):
            hook.join_run(run.catalog, run.parameters, run.environment)
    with joblib.parallel_config(backend="dask", n_jobs=-1):
        Task(
            node=run.node,
            catalog=run.catalog,
            hook_manager=hook_manager,
            is_async=False,
            run_id=run.run_id,
        ).execute()


@cache
def _hook_manager() -> Any:
    """Return the project's hooks, once a process: Kedro's own manager cannot be sent to another."""
    configure_project(__package__.split(".")[0])
    manager = _create_hook_manager()
    _register_hooks(manager, settings.HOOKS)
    _register_hooks_entry_points(manager, settings.DISABLE_HOOKS_FOR_PLUGINS)
    return manager
