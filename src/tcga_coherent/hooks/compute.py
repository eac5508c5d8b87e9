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
