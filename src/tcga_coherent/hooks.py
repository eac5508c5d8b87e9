"""Process-wide settings that no pure node may touch."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

logger = logging.getLogger(__name__)


class ComputeHooks:
    """Apply the ``compute`` parameters to the process before a run."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Set the number of CPU threads of torch and flush denormal numbers to zero."""
        import torch

        threads = catalog.load("params:compute.threads")
        if not isinstance(threads, int) or threads < 1:
            raise ValueError(
                f"compute.threads must be a whole number of at least 1, got {threads!r}."
            )
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        logger.info("torch uses %d CPU thread(s)", threads)
