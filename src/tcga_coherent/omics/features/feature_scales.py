"""Transforms that learn each feature's scale from the training patients."""

from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic.dataclasses import dataclass
from scipy.special import ndtri

from tcga_coherent.omics.blocks import by_columns
from tcga_coherent.omics.features.transforms import STEP, Transform, replace_values


@dataclass(config=STEP)
class CenterMedian(Transform):
    """Subtract each feature's median over the training patients (paper, Preprocessing, RPPA)."""

    name: ClassVar[str] = "center_median"

    def learn(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """Learn the medians."""
        return {"median": by_columns(partial(np.nanmedian, axis=0), table.to_numpy())}

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Subtract the medians."""
        return replace_values(table, table.to_numpy() - self.fitted("median", table.columns))

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the medians."""
        return replace_values(table, table.to_numpy() + self.fitted("median", table.columns))


@dataclass(config=STEP)
class RankNormal(Transform):
    """Map each feature's training quantiles to those of the standard normal distribution.

    The k-th smallest of n training values has the normal score of level (k - 1/2) / n. Between the
    quantiles kept the map is linear; beyond the outermost, the training minimum and maximum, it is
    constant, in both directions. Tied quantiles map to the middle of their normal scores.

    Attributes
    ----------
    quantiles
        Number of quantiles kept a feature; at most one a training patient.
    """

    quantiles: int = 200

    name: ClassVar[str] = "rank_normal"

    def __post_init__(self) -> None:
        """Check the number of quantiles."""
        if self.quantiles < 2:
            raise ValueError(f"quantiles must be at least 2, got {self.quantiles}")

    def learn(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """Learn the quantiles, an array of quantiles x features, and their normal scores."""
        half_a_patient = 0.5 / len(table)
        number = min(self.quantiles, len(table))
        levels = np.linspace(half_a_patient, 1 - half_a_patient, number)
        # Hazen's definition is the one that puts the k-th of n values at level (k - 1/2) / n.
        quantiles = by_columns(
            lambda part: np.nanquantile(part, levels, axis=0, method="hazen").astype(np.float32),
            table.to_numpy(),
        )
        return {"quantiles": quantiles, "scores": ndtri(levels)}

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Interpolate normal scores."""
        quantiles, scores = self.fitted("quantiles", table.columns), self.state["scores"]
        values = table.to_numpy()
        normal = np.empty_like(values)
        for j in range(values.shape[1]):
            x, known = values[:, j], quantiles[:, j]
            from_below = np.interp(x, known, scores)
            from_above = -np.interp(-x, -known[::-1], -scores[::-1])
            normal[:, j] = (from_below + from_above) / 2
        return replace_values(table, normal)

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Interpolate quantiles."""
        quantiles, scores = self.fitted("quantiles", table.columns), self.state["scores"]
        normal = table.to_numpy()
        values = np.empty_like(normal)
        for j in range(normal.shape[1]):
            values[:, j] = np.interp(normal[:, j], scores, quantiles[:, j])
        return replace_values(table, values)


@dataclass(config=STEP)
class Standardise(Transform):
    """Subtract each feature's training mean and divide by its training standard deviation."""

    name: ClassVar[str] = "standardise"

    def learn(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """Learn means and standard deviations (divisor n), accumulated in double precision."""
        values = table.to_numpy()
        mean = by_columns(
            lambda part: np.asarray(np.nanmean(part, axis=0, dtype=np.float64)), values
        )
        # Squares of deviations are taken in the precision of the table, where large ones overflow.
        with np.errstate(over="ignore"):
            sd = by_columns(lambda part: np.nanstd(part, axis=0, dtype=np.float64), values)
        overflown = ~np.isfinite(sd)
        if overflown.any():
            sd[overflown] = np.nanstd(values[:, overflown].astype(np.float64), axis=0)
        return {"mean": mean.astype(np.float32), "sd": sd.astype(np.float32)}

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take (x - mean) / sd."""
        mean, sd = self.fitted("mean", table.columns), self.fitted("sd", table.columns)
        return replace_values(table, (table.to_numpy() - mean) / sd)

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take x * sd + mean."""
        mean, sd = self.fitted("mean", table.columns), self.fitted("sd", table.columns)
        return replace_values(table, table.to_numpy() * sd + mean)
