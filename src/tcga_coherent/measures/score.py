"""A score with the two spreads that every table shows: over repeats, and over patients."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tcga_coherent.measures.bootstrap import central_interval
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
