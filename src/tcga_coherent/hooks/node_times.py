"""Times of the nodes of a run."""

import logging
import time
from datetime import UTC, datetime

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import DatasetError
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


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
            record = {
                "node": node.name,
                "pipeline": node.namespace or "",
                "seconds": round(time.perf_counter() - started, 3),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            try:
                catalog.save("node_times", record)
            except DatasetError as error:
                # Results may go elsewhere while the project's own data can only be read.
                logger.warning("The time of %s is not kept: %s", node.name, error)
