"""What happens around a run: checks before it, and process-wide settings no pure node may touch."""

import logging
import time
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import DataCatalog
from kedro.pipeline.node import Node
from kedro.validation import ParameterValidationError

logger = logging.getLogger(__name__)

# Groups of which nodes read single keys: no dataclass sees the others.
READ_BY_KEY = ("compute", "ingestion")


class RunParameterHooks:
    """Refuse ``--params`` that nothing would read."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Compare the names of run parameters with those of the configuration.

        Raises
        ------
        ParameterValidationError
            Naming the parameter that the configuration does not have, and the likely one.
        """
        loader = context.config_loader
        given = loader.runtime_params or {}
        configured = type(loader)(
            conf_source=loader.conf_source, env=loader.env, **settings.CONFIG_LOADER_ARGS
        )["parameters"]
        known = list(configured)
        names = list(given)
        for group in READ_BY_KEY:
            known += [f"{group}.{key}" for key in configured[group]]
            if isinstance(given.get(group), dict):
                names += [f"{group}.{key}" for key in given[group]]
        for name in names:
            if name not in known:
                similar = get_close_matches(name, known, n=1)
                raise ParameterValidationError(
                    f"--params names the unknown parameter {name!r}"
                    f"{f': did you mean {similar[0]!r}?' if similar else '.'} A parameter of your own "
                    f"must be in conf, with null where it has no value."
                )


class ComputeHooks:
    """Apply the ``compute`` parameters to the process before a run."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Set the number of CPU threads and flush denormal numbers to zero."""
        import torch
        from threadpoolctl import threadpool_limits

        threads = catalog.load("params:compute.threads")
        if not isinstance(threads, int) or threads < 1:
            raise ValueError(
                f"compute.threads must be a whole number of at least 1, got {threads!r}."
            )
        torch.set_num_threads(threads)
        # The libraries behind numpy and scikit-learn would use every core and wait for all of them.
        threadpool_limits(threads)
        torch.set_flush_denormal(True)
        logger.info("Numerical libraries use %d CPU thread(s)", threads)


class NodeTimeHooks:
    """Record how long each node takes, from its inputs being read to its outputs being saved."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[float, DataCatalog]] = {}

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Start the clock."""
        self._running[node.name] = (time.perf_counter(), catalog)

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Save the time so far; that of the last output counts.

        Lazy outputs and those of generators are computed while they are saved, so that the end of
        the node's function would be too early. Catalogs without ``node_times`` get none.
        """
        started, catalog = self._running[node.name]
        if "node_times" in catalog:
            catalog.save(
                "node_times",
                {
                    "node": node.name,
                    "pipeline": node.namespace or "",
                    "seconds": round(time.perf_counter() - started, 3),
                    "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                },
            )
