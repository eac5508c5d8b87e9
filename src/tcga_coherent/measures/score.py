"""Numbers with the spreads that every table shows: over repeats, and over patients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    central_interval,
    patient_interval,
)
from tcga_coherent.measures.fidelity import Array

PARTS = ("mean", "std", "low", "high")


@dataclass(frozen=True)
class Score:
    """A score, a difference of two, or a curve of them.

    Attributes
    ----------
    by_repeat
        Its value in each repeat; further axes are points of a curve.
    by_sample
        Its mean over repeats in each bootstrap sample of the patients, with the same further axes.
    """

    by_repeat: Array
    by_sample: Array

    def __sub__(self, other: "Score") -> "Score":
        """Return the paired difference."""
        return Score(self.by_repeat - other.by_repeat, self.by_sample - other.by_sample)

    @property
    def mean(self) -> Any:
        """Mean over repeats."""
        return self.by_repeat.mean(axis=0)

    @property
    def std(self) -> Any:
        """Standard deviation over repeats; NaN where there is one alone."""
        if len(self.by_repeat) < 2:
            return np.full(self.by_repeat.shape[1:], np.nan)[()]
        return self.by_repeat.std(axis=0, ddof=1)

    def interval(self, level: float) -> tuple[Any, Any]:
        """Return the central interval over patients; NaN where it is not defined."""
        return central_interval(self.by_sample, level)

    def columns(self, name: str, level: float) -> dict[str, Any]:
        """Return the columns of a table: mean and deviation over repeats, ends of the interval.

        Parameters
        ----------
        name
            What the names of the columns begin with.
        level
            Share of the bootstrap samples that the interval holds.
        """
        values = (self.mean, self.std, *self.interval(level))
        return {f"{name}_{part}": value for part, value in zip(PARTS, values, strict=True)}


@dataclass(frozen=True)
class Estimate:
    """A number, or several, with the interval over bootstrap samples."""

    value: Any
    low: Any
    high: Any


def estimate(value: Any, by_sample: Array, level: float) -> Estimate:
    """Return a number with the interval of its values in bootstrap samples."""
    low, high = central_interval(by_sample, level)
    return Estimate(float(value), float(low), float(high))


def patient_estimate(
    statistic: Callable[[Counts], NDArray[np.float64]],
    n_patients: int,
    bootstrap: BootstrapParameters,
    seed: int,
) -> Estimate:
    """Return statistics of all patients, each drawn once, with their intervals.

    Parameters
    ----------
    statistic, n_patients, bootstrap, seed
        As in :func:`tcga_coherent.measures.bootstrap.patient_interval`.
    """
    once = np.ones((1, n_patients), dtype=np.int64)
    return Estimate(statistic(once)[0], *patient_interval(statistic, n_patients, bootstrap, seed))
