"""The nodes of a run on the workers of a Dask cluster: this machine's cores, or a cluster that was started elsewhere.

``kedro run --env E --runner tcga_coherent.runners.DaskRunner --runner-params=n_workers=2``
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner

from tcga_coherent import __version__
from tcga_coherent.configuration import configured
from tcga_coherent.runners.worker import NodeRun, run_node, see_project

if TYPE_CHECKING:
    from distributed import Client

logger = logging.getLogger(__name__)

# Tags of nodes that only run on workers that offer a resource of this name, where any worker does.
RESOURCES = ("gpu", "cpu")
EXAMPLES = 5
# Dask has workers give every freed block of memory back at once, so that each step of a training asks for it
# anew: it takes twice as long.
ENVIRON = "distributed.nanny.pre-spawn-environ"


class DaskRunner(AbstractRunner):
    """Run each node on a worker as soon as its inputs are there.

    Everything between nodes is a file that all workers see, so that a worker that is lost costs the node
    it was running. A node that fails costs the nodes behind it; all others are run, and
    ``--only-missing-outputs`` goes on from there. Repeats of studies are spread over the same workers.

    Parameters
    ----------
    n_workers
        Processes on this machine; None for one a core.
    scheduler
        Address of a running cluster, ``tcp://HOST:PORT``, in place of processes on this machine.
    threads
        CPU threads of numerical libraries in each worker; None for ``compute.threads``.
    is_async
        Kedro's; not supported.
    """

    def __init__(
        self,
        n_workers: int | None = None,
        scheduler: str | None = None,
        threads: int | None = None,
        is_async: bool = False,
    ) -> None:
        if is_async:
            raise ValueError("DaskRunner loads and saves where a node runs: leave is_async out.")
        if scheduler is not None and n_workers is not None:
            raise ValueError(
                "n_workers starts processes on this machine, scheduler uses those of a running cluster: give "
                "one of them."
            )
        super().__init__()
        self._n_workers, self._scheduler, self._threads = n_workers, scheduler, threads

    def _get_executor(self, max_workers: int) -> None:
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: Any,
        hook_manager: Any = None,
        run_id: str | None = None,
    ) -> None:
        """Run the nodes of the pipeline.

        Raises
        ------
        ValueError
            When a dataset between nodes is no file, or a worker does not see the project.
        Exception
            That of the first node that failed, when all that could be run was.
        """
        check_persisted(pipeline, catalog)
        threads = self._threads or catalog.load("params:compute.threads")
        with self._client() as client:
            _check_workers(client, Path.cwd())
            logger.info(
                "%d workers at %s; dashboard: %s",
                len(client.scheduler_info(n_workers=-1)["workers"]),
                _address(client),
                client.dashboard_link,
            )
            client.forward_logging("tcga_coherent", level=logging.INFO)
            resources, known = _offered(client), configured()
            runs = {
                node: NodeRun(
                    node=node,
                    catalog=_catalog_of(node, catalog),
                    parameters=known.parameters,
                    environment=known.environment,
                    project=Path.cwd(),
                    threads=threads,
                    run_id=run_id,
                )
                for node in pipeline.nodes
            }
            _run_all(client, pipeline, runs, resources)

    @contextmanager
    def _client(self) -> "Iterator[Client]":
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise ImportError(
                "DaskRunner needs Dask: install tcga_coherent[dask], as with `pip install -e '.[dask]'`."
            ) from error

        with ExitStack() as stack:
            if self._scheduler is None:
                scratch = TemporaryDirectory(prefix="dask-", ignore_cleanup_errors=True)
                stack.enter_context(dask.config.set({ENVIRON: {}}))
                cluster = LocalCluster(
                    n_workers=self._n_workers or os.cpu_count(),
                    threads_per_worker=1,
                    # The limit of a worker would be a share of the machine's memory, which a node may exceed.
                    memory_limit=0,
                    local_directory=stack.enter_context(scratch),
                )
                stack.enter_context(cluster)
                yield stack.enter_context(Client(cluster))
            else:
                yield stack.enter_context(Client(self._scheduler))


def check_persisted(pipeline: Pipeline, catalog: Any) -> None:
    """Refuse datasets between nodes that are no files.

    Raises
    ------
    ValueError
        Naming them.
    """
    between = pipeline.all_outputs() | {
        name
        for name in pipeline.inputs()
        if not name.startswith("params:") and name != "parameters"
    }
    memory = sorted(
        name
        for name in between
        if name not in catalog or isinstance(catalog.get(name), MemoryDataset)
    )
    if memory:
        more = f" and {len(memory) - EXAMPLES} more" if len(memory) > EXAMPLES else ""
        raise ValueError(
            f"{', '.join(memory[:EXAMPLES])}{more} would pass from node to node in memory, which workers do not "
            f"share: give them an entry in the catalog, or run this pipeline without --runner."
        )


def _check_workers(client: "Client", project: Path) -> None:
    """Refuse a cluster whose workers do not see the project's files, or have other code."""
    mark = project / "data" / f".seen_by_workers_{uuid4().hex}"
    mark.parent.mkdir(exist_ok=True)
    mark.touch()
    try:
        seen = client.run(see_project, mark)
    finally:
        mark.unlink()
    blind = sorted(worker for worker, (sees, _) in seen.items() if not sees)
    if blind or not seen:
        raise ValueError(
            f"The workers {', '.join(blind[:EXAMPLES])} do not see {project / 'data'}: let the project lie on a "
            f"disk that all share, at the same place."
            if blind
            else f"The cluster at {_address(client)} has no workers: start some."
        )
    others = {worker: version for worker, (_, version) in seen.items() if version != __version__}
    if others:
        worker, version = next(iter(others.items()))
        raise ValueError(
            f"The worker {worker} has version {version} of tcga_coherent, this is {__version__}: install the "
            f"same everywhere."
        )


def _address(client: "Client") -> str:
    return str(client.scheduler_info()["address"])


def _offered(client: "Client") -> set[str]:
    """Return the resources that any worker offers."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return {name for worker in workers for name in worker.get("resources", {})} & set(RESOURCES)


def _catalog_of(node: Node, catalog: Any) -> DataCatalog:
    """Return what a worker needs of the catalog."""
    names = {*node.inputs, *node.outputs}
    if "node_times" in catalog:
        names.add("node_times")
    return DataCatalog({name: catalog.get(name) for name in sorted(names)})


def _run_all(
    client: "Client", pipeline: Pipeline, runs: dict[Node, NodeRun], resources: set[str]
) -> None:
    """Run nodes as their inputs are there, and go on without those behind a node that failed."""
    from distributed import as_completed

    dependencies = pipeline.node_dependencies
    todo, done = set(runs), set[Node]()
    failed: dict[Node, BaseException] = {}
    started, running = time.monotonic(), {}
    completed = as_completed([])

    def submit() -> None:
        for node in [node for node in runs if node in todo and dependencies[node] <= done]:
            todo.discard(node)
            wanted = {name: 1 for name in resources if name in node.tags}
            future = client.submit(
                run_node, runs[node], key=f"{node.name}-{uuid4().hex}", resources=wanted, pure=False
            )
            running[future] = node
            completed.add(future)

    submit()
    for future in completed:
        node = running.pop(future)
        error = future.exception()
        # Dask computes anew what somebody still asks for when the worker that holds it dies.
        future.release()
        if error is None:
            done.add(node)
            logger.info(
                "%s is done: %d of %d, %.1f min",
                node.name, len(done), len(runs), (time.monotonic() - started) / 60,
            )  # fmt: skip
        else:
            failed[node] = error
            logger.error("%s failed: %s", node.name, error)
        submit()
    if failed:
        logger.error(
            "%d nodes failed and %d behind them were not run; all others are done and kept: the same command "
            "with --only-missing-outputs goes on",
            len(failed),
            len(todo),
        )
        raise next(iter(failed.values()))
