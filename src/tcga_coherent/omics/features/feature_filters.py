"""Transforms that remove features, decided on the training patients."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic.dataclasses import dataclass

from tcga_coherent.omics.blocks import by_columns, column_blocks
from tcga_coherent.omics.features.transforms import STEP, Transform


class FeatureFilter(Transform):
    """A step that removes features and leaves values as they are, in both directions."""

    def learn(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """Learn which features stay."""
        return {"kept": self.keep(table.to_numpy())}

    @abstractmethod
    def keep(self, values: np.ndarray) -> np.ndarray:
        """Return for each feature of patients x features whether it stays."""

    @property
    @abstractmethod
    def reason(self) -> str:
        """Why a feature is removed, for the quality-control table."""

    @property
    def output_features(self) -> pd.Index:
        """Features that stay."""
        return self.features[self.state["kept"]]

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the features that stay."""
        kept = self.fitted("kept", table.columns)
        return table if kept.all() else table.loc[:, kept]

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return values as they are."""
        return table


@dataclass(config=STEP)
class DropEmptyFeatures(FeatureFilter):
    """Remove features that no training patient has; part of every modality's preprocessing."""

    name: ClassVar[str] = "drop_empty_features"

    def keep(self, values: np.ndarray) -> np.ndarray:
        """Keep features with at least one value."""
        return by_columns(lambda part: ~np.isnan(part).all(axis=0), values)

    @property
    def reason(self) -> str:
        """Why a feature is removed."""
        return "missing in all training patients"


@dataclass(config=STEP)
class DropConstantFeatures(FeatureFilter):
    """Remove features without any variance; part of every modality's preprocessing."""

    name: ClassVar[str] = "drop_constant_features"

    def keep(self, values: np.ndarray) -> np.ndarray:
        """Keep features with two different values."""
        return np.fmin.reduce(values, axis=0) < np.fmax.reduce(values, axis=0)

    @property
    def reason(self) -> str:
        """Why a feature is removed."""
        return "the same value in all training patients"


@dataclass(config=STEP)
class DropMissingFeatures(FeatureFilter):
    """Remove features that too many training patients miss (paper, Preprocessing: more than 10 %)."""

    max_missing: float

    name: ClassVar[str] = "drop_missing_features"

    def __post_init__(self) -> None:
        """Check that the bound is a share."""
        check_share("max_missing", self.max_missing)

    def keep(self, values: np.ndarray) -> np.ndarray:
        """Keep features with a missing share of at most `max_missing`."""
        return by_columns(lambda part: np.isnan(part).mean(axis=0), values) <= self.max_missing

    @property
    def reason(self) -> str:
        """Why a feature is removed."""
        return f"missing in more than {self.max_missing:.3g} of the training patients"


@dataclass(config=STEP)
class DropLowExpression(FeatureFilter):
    """Remove features that too few training patients express.

    The paper keeps genes with CPM > 1 in at least 20 % of the samples; on the scale log2(CPM + 1)
    that is `min_value` 1 and `min_share` 0.2. A missing value counts as not expressed.
    """

    min_value: float
    min_share: float

    name: ClassVar[str] = "drop_low_expression"

    def __post_init__(self) -> None:
        """Check that the bound is a share."""
        check_share("min_share", self.min_share)

    def keep(self, values: np.ndarray) -> np.ndarray:
        """Keep features above `min_value` in at least `min_share` of the patients."""
        shares = by_columns(lambda part: (part > self.min_value).mean(axis=0), values)
        return shares >= self.min_share

    @property
    def reason(self) -> str:
        """Why a feature is removed."""
        return (
            f"above {self.min_value:g} in fewer than {self.min_share:.3g} of the training patients"
        )


@dataclass(config=STEP)
class TopVariance(FeatureFilter):
    """Keep the `n` features that vary most, all where there are no more."""

    n: int

    name: ClassVar[str] = "top_variance"

    def __post_init__(self) -> None:
        """Check that some feature is left."""
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")

    def keep(self, values: np.ndarray) -> np.ndarray:
        """Keep the features of largest variance; of equal ones the first."""
        variance = by_columns(lambda part: np.nanvar(part, axis=0, dtype=np.float64), values)
        kept = np.zeros(len(variance), dtype=bool)
        kept[np.argsort(-variance, kind="stable")[: self.n]] = True
        return kept

    @property
    def reason(self) -> str:
        """Why a feature is removed."""
        return f"not among the {self.n} features of largest variance"


@dataclass(config=STEP)
class ThinCorrelatedNeighbours(FeatureFilter):
    """Thin out features that repeat their neighbour, as genes on one copy-number segment do.

    The features are walked in their order: the first stays, and each further one only where its
    correlation with the last that stayed is below `min_correlation`. Missing values count as the
    feature's median. Features that are not in the order of the genome lose nothing but the saving.
    """

    min_correlation: float

    name: ClassVar[str] = "thin_correlated_neighbours"

    def __post_init__(self) -> None:
        """Check that the bound is a correlation."""
        check_share("min_correlation", self.min_correlation)

    def keep(self, values: np.ndarray) -> np.ndarray:
        """Keep the first feature of each run of correlated ones."""
        kept = np.zeros(values.shape[1], dtype=bool)
        last = np.zeros(len(values), dtype=np.float32)
        for block in column_blocks(values.shape[1]):
            for j, profile in enumerate(unit_profiles(values[:, block]), block.start):
                if profile @ last < self.min_correlation:
                    kept[j] = True
                    last = profile
        return kept

    @property
    def reason(self) -> str:
        """Why a feature is removed."""
        return f"correlation with the neighbour that stays of at least {self.min_correlation:g}"


def unit_profiles(values: np.ndarray) -> np.ndarray:
    """Features x patients, centred, of norm one: the scalar product of two is their correlation."""
    profiles = np.ascontiguousarray(values.T)
    missing = np.isnan(profiles)
    profiles = np.where(missing, np.nanmedian(profiles, axis=1, keepdims=True), profiles)
    profiles -= profiles.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(profiles, axis=1, keepdims=True)
    return profiles / np.where(norms > 0, norms, 1)


def check_share(argument: str, value: float) -> None:
    """Raise a ValueError unless `value` is between 0 and 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{argument} must be between 0 and 1, got {value:g}")
