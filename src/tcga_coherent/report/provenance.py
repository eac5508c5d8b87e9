"""Where the numbers of a report come from: versions, machine, seeds, time."""

import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import pandas as pd

PACKAGES = (
    "tcga_coherent",
    "kedro",
    "torch",
    "scikit-learn",
    "scikit-survival",
    "numpy",
    "pandas",
    "umap-learn",
    "matplotlib",
)


def versions(device: str) -> dict[str, str]:
    """Return name to version of Python, the libraries and the machine.

    Parameters
    ----------
    device
        Where models were computed.
    """
    return {
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "CPU cores": str(os.cpu_count()),
        "device": device,
    }


def seeds(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, int]:
    """Return the full name of each parameter called ``seed`` to its value.

    Parameters
    ----------
    parameters
        All parameters.
    prefix
        Full name of the group that `parameters` are.
    """
    return dict(_seeds(parameters, prefix))


def _seeds(parameters: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, int]]:
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            yield from _seeds(value, f"{prefix}{name}.")
        elif name == "seed":
            yield f"{prefix}{name}", value


def time_by_pipeline(times: pd.DataFrame) -> dict[str, str]:
    """Return pipeline to the time that the last runs of its nodes took together.

    Parameters
    ----------
    times
        Columns ``pipeline`` and ``seconds``.
    """
    sums = times.groupby("pipeline", sort=False)["seconds"].sum()
    return {str(name): format_duration(seconds) for name, seconds in sums.items()}


def format_duration(seconds: float) -> str:
    """Write a duration as people say it, as in ``2 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
