"""One run an environment at a time."""

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

logger = logging.getLogger(__name__)

# They read the environment's data and write to a folder of the user's.
READERS = {"complete"}
# The main job, a box of the lineage a task.
LANES = "lanes"


class RunLockHooks:
    """Keep a second run of an environment from writing over the first.

    The operating system frees the lock when the process ends, in whichever way.
    """

    def __init__(self) -> None:
        self._file = Path()
        self._lock: FileLock | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where results lie."""
        # Whether the name can be a folder's is checked elsewhere.
        name = str(context.config_loader["globals"].get("environment"))
        self._file = Path(context.project_path) / "data" / "08_reporting" / name / ".lock"

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Take the lock.

        Raises
        ------
        RuntimeError
            When another run has it.
        """
        self._release()
        names = set(run_params["pipeline_names"] or ["__default__"])
        if names <= READERS:
            return
        file = self._file
        if names == {LANES} and run_params["namespaces"]:
            # A task of another scheduler, which runs it beside others of the same run.
            file = file.with_name("-".join([file.name, *run_params["namespaces"]]))
        lock = FileLock(file, timeout=0)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            holder = file.with_suffix(".holder")
            who = f" ({holder.read_text()})" if holder.is_file() else ""
            raise RuntimeError(
                f"Another run of this environment is under way{who}: wait for its end, or use an "
                f"environment of another name."
            ) from None
        except OSError as error:
            logger.warning("%s cannot be locked (%s): start no second run.", file, error)
            return
        self._lock = lock
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        file.with_suffix(".holder").write_text(f"process {os.getpid()}, since {started}")

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Free the lock."""
        self._release()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Free the lock."""
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
