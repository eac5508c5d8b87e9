"""Process-wide settings that no pure node may touch."""

import logging

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)


class ComputeHooks:
    """Apply the ``compute`` parameters to the process before a run."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Set the number of CPU threads and flush denormal numbers to zero.

        Raises
        ------
        ValueError
            When the device is not there, before anything has run in vain.
        """
        from tcga_coherent.diffusion.device import resolve_device

        if "params:compute.device" in pipeline.inputs():
            resolve_device(catalog.load("params:compute.device"))
        threads = catalog.load("params:compute.threads")
        limit_threads(threads)
        logger.info("Numerical libraries use %d CPU thread(s)", threads)


def limit_threads(threads: int) -> None:
    """Set the CPU threads of numerical libraries in this process, and let tiny numbers be zero."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    # The libraries behind numpy and scikit-learn would use every core and wait for all of them.
    threadpool_limits(threads)
    torch.set_flush_denormal(True)
