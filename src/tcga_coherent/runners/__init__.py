"""Runners beside Kedro's own."""

from tcga_coherent.runners.dask_runner import DaskRunner

__all__ = ["DaskRunner"]
