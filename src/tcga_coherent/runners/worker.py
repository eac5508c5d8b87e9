"""What a worker does of a run: one node at a time, as the run's own process would do it."""

import os
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
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
from tcga_coherent.configuration import join_environment


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
    parameters: Mapping[str, Any]
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
    join_environment(run.environment, run.parameters)
    with joblib.parallel_config(backend="dask", n_jobs=-1):
        Task(
            node=run.node,
            catalog=run.catalog,
            hook_manager=_hook_manager(run),
            is_async=False,
            run_id=run.run_id,
        ).execute()


def _hook_manager(run: NodeRun) -> Any:
    """Return the project's hooks, which Kedro's own manager cannot bring to another process.

    They are copies: while a node waits for its repeats, its worker runs another.
    """
    configure_project(__package__.split(".")[0])
    hooks = [copy(hook) for hook in settings.HOOKS]
    for hook in hooks:
        if hasattr(hook, "join_run"):
            hook.join_run(run.catalog, run.parameters, run.environment)
    manager = _create_hook_manager()
    _register_hooks(manager, hooks)
    _register_hooks_entry_points(manager, settings.DISABLE_HOOKS_FOR_PLUGINS)
    return manager
