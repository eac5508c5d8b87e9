"""Named transforms of a modality's values, each with its way back.

A transform is one step of a modality's preprocessing. `Transform.fit` learns what it needs from the
training patients, `Transform.forward` applies it to any patients and `Transform.backward` returns
from transformed values, observed or generated, to the units before the step. Steps that remove
features are in :mod:`tcga_coherent.omics.features.feature_filters`, those that learn each feature's scale in
:mod:`tcga_coherent.omics.features.feature_scales`; :mod:`tcga_coherent.omics.features.steps` knows all by name.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from tcga_coherent.omics.blocks import column_blocks
from tcga_coherent.omics.patients.table_checks import first_cell

logger = logging.getLogger(__name__)

STEP = ConfigDict(extra="forbid")

# Generated values may lie far outside the data; beyond these exponents float32 would overflow.
MAX_BINARY_EXPONENT = 120.0
MAX_NATURAL_EXPONENT = 85.0

COUNTS_PER_MILLION = 1e6

# log2(count + 1) of more reads than any sequencer yields: the values are counts themselves.
MAX_LOG2_COUNT = 64
FEWEST_CELLS = 100


class Transform(ABC):
    """One step of a modality's preprocessing.

    Attributes
    ----------
    name
        How parameters call the step.
    row_wise
        Whether `forward` needs nothing but the patient's own row.
    features
        Features the step was fitted on.
    state
        Fitted arrays; the last axis runs along `features` unless it has length one.
    bound_to
        What a bound step knows of each patient's whole row; None for others.
    """

    name: ClassVar[str]
    row_wise: ClassVar[bool] = False

    features: pd.Index
    state: dict[str, np.ndarray]
    bound_to: pd.Series | None = None

    def fit(self, table: pd.DataFrame) -> None:
        """Learn from the training patients.

        Parameters
        ----------
        table
            Training patients x features, float32, as the steps before this one left them.
        """
        self.restore(table.columns, self.learn(table))

    def restore(self, features: pd.Index, state: dict[str, np.ndarray]) -> None:
        """Take over what an earlier `fit` learned."""
        self.features = features
        self.state = state

    def learn(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """Return the fitted arrays; nothing for steps that learn nothing."""
        return {}

    @property
    def output_features(self) -> pd.Index:
        """Features that the step returns."""
        return self.features

    def bind(self, parts: Iterable[pd.DataFrame]) -> "Transform":
        """Return a step that can transform some columns of patients without their others.

        Parameters
        ----------
        parts
            All columns of the patients, block by block, as the steps before this one left them; read only
            by a step that needs whole rows.
        """
        return self

    @abstractmethod
    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Transform patients x `features`; missing values stay missing.

        Of a bound step, or one that needs no whole rows, the columns may be any subset of `features`.
        """

    @abstractmethod
    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return transformed values, any subset of `features`, to the units before the step."""

    def fitted(self, key: str, columns: pd.Index) -> np.ndarray:
        """Fitted array `key` restricted to `columns`."""
        if columns.equals(self.features):
            return self.state[key]
        return self.state[key][..., self.features.get_indexer(columns)]


@dataclass(config=STEP)
class ZerosToMissing(Transform):
    """Turn zeros into missing values: a copy number of 0 has no logarithm (paper, Preprocessing)."""

    name: ClassVar[str] = "zeros_to_missing"
    row_wise: ClassVar[bool] = True

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Replace 0 by missing."""
        return replace_values(table, np.where(table.to_numpy() == 0, np.nan, table.to_numpy()))

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return values as they are."""
        return table


@dataclass(config=STEP)
class Log2CopyRatio(Transform):
    """Copies x of a gene to log2(x / 2), the ratio to the diploid state (paper, Preprocessing)."""

    name: ClassVar[str] = "log2_copy_ratio"
    row_wise: ClassVar[bool] = True

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take log2(x / 2).

        Raises
        ------
        ValueError
            When a value is zero or negative.
        """
        refuse(
            table < 0,
            self.name,
            "is negative and so no number of copies; GISTIC's calls (-2 to 2) and log2 ratios take clip "
            "alone, without zeros_to_missing",
        )
        refuse(table == 0, self.name, "is not positive; put zeros_to_missing before it")
        return replace_values(table, np.log2(table.to_numpy() / 2))

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take 2 * 2^x."""
        return replace_values(table, 2 * bounded_exp2(table.to_numpy()))


@dataclass(config=STEP)
class Clip(Transform):
    """Limit values to [low, high]."""

    low: float
    high: float

    name: ClassVar[str] = "clip"
    row_wise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the order of the bounds."""
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Limit values."""
        return replace_values(table, np.clip(table.to_numpy(), self.low, self.high))

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return values as they are: what was cut off is not known."""
        return table


@dataclass(config=STEP)
class Log2CountsToCpm(Transform):
    """log2(count + 1) to counts per million of the patient's library (paper, Preprocessing).

    The library size is the sum of the patient's counts over the features of the table, so the step
    belongs before any that removes features. Of a patient whose counts of some features are missing the
    sum is divided by the share of the library that the others hold in the training patients (mean of the
    patients' shares). On the way back, values become log2(count + 1) at the
    *median library size of the training patients*: how deep a patient would have been sequenced is
    not known for generated values.
    """

    name: ClassVar[str] = "log2_counts_to_cpm"
    row_wise: ClassVar[bool] = True

    def learn(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """Learn the median library size, and doubt counts whose logarithm was not taken."""
        # The logarithm of few counts is whole; of a hundred cells it never is of all.
        if table.size >= FEWEST_CELLS and all(map(_is_whole, column_parts(table))):
            logger.warning(
                "Step %s: all values are whole numbers: are they counts, of which log2(count + 1) has to be "
                "taken first?",
                self.name,
            )
        library_size = self.library_sizes(column_parts(table)).to_numpy()
        sequenced = library_size > 0
        scale = (1 / library_size[sequenced]).astype(np.float32)[:, np.newaxis]
        shares = []
        for part in column_parts(table):
            counts = log2_counts_to_counts(part)[sequenced]
            counts *= scale
            measured = (~np.isnan(counts)).sum(axis=0)
            shares.append(np.nansum(counts, axis=0, dtype=np.float64) / np.maximum(measured, 1))
        return {
            "library_size": np.array([np.median(library_size)]),
            "shares": np.concatenate(shares),
        }

    def absent_share(self, missing: np.ndarray, features: pd.Index) -> np.ndarray:
        """Return the share of the library that the features marked in each row hold in training."""
        return np.asarray(missing @ self.fitted("shares", features))

    def library_sizes(self, parts: Iterable[pd.DataFrame]) -> pd.Series:
        """Sum the counts of each patient; before the step is fitted missing ones count as zero.

        Parameters
        ----------
        parts
            All columns of the patients, block by block.
        """
        sums, absent = np.zeros(1), np.zeros(1)
        index = pd.Index([])
        for part in parts:
            counts = log2_counts_to_counts(part)
            sums, index = sums + sum_rows(counts), part.index
            missing = np.isnan(counts)
            if hasattr(self, "state") and missing.any():
                absent = absent + self.absent_share(missing, part.columns)
        return pd.Series(sums / np.maximum(1 - absent, 1e-9), index=index)

    def bind(self, parts: Iterable[pd.DataFrame]) -> "Log2CountsToCpm":
        """Return a step that knows the libraries of these patients."""
        bound = copy(self)
        bound.bound_to = self.library_sizes(parts)
        return bound

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Scale counts to a library of a million; a patient without any count becomes missing.

        Raises
        ------
        ValueError
            When a value cannot be log2(count + 1): it is negative, or a count without logarithm.
        """
        refuse(table < 0, self.name, "is negative, so it is not log2(count + 1)")
        refuse(
            table > MAX_LOG2_COUNT,
            self.name,
            "is too large for log2(count + 1); take the logarithm of raw counts first",
        )
        libraries = self.library_sizes([table]) if self.bound_to is None else self.bound_to
        library_size = libraries.reindex(table.index).to_numpy()
        scale = (COUNTS_PER_MILLION / np.where(library_size == 0, np.nan, library_size)).astype(
            np.float32
        )
        return replace_values(table, log2_counts_to_counts(table) * scale[:, np.newaxis])

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return to log2(count + 1) at the median training library size."""
        scale = np.float32(self.state["library_size"][0] / COUNTS_PER_MILLION)
        return replace_values(table, np.log2(np.maximum(table.to_numpy(), 0) * scale + 1))


@dataclass(config=STEP)
class Log2PlusOne(Transform):
    """x to log2(x + 1)."""

    name: ClassVar[str] = "log2_plus_one"
    row_wise: ClassVar[bool] = True

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take log2(x + 1).

        Raises
        ------
        ValueError
            When a value is negative.
        """
        refuse(table < 0, self.name, "is negative; use arcsinh for values of both signs")
        return replace_values(table, np.log2(table.to_numpy() + 1))

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take 2^x - 1."""
        return replace_values(table, bounded_exp2(table.to_numpy()) - 1)


@dataclass(config=STEP)
class Arcsinh(Transform):
    """x to arcsinh(x): linear near zero, logarithmic in both tails."""

    name: ClassVar[str] = "arcsinh"
    row_wise: ClassVar[bool] = True

    def forward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take arcsinh(x)."""
        return replace_values(table, np.arcsinh(table.to_numpy()))

    def backward(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take sinh(x)."""
        return replace_values(
            table, np.sinh(np.clip(table.to_numpy(), -MAX_NATURAL_EXPONENT, MAX_NATURAL_EXPONENT))
        )


def column_parts(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the columns of `table` block by block, without a copy."""
    for block in column_blocks(table.shape[1]):
        yield table.iloc[:, block]


def forward_parts(steps: Sequence[Transform], table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield what bound `steps` make of `table`, block by block of its columns."""
    for part in column_parts(table):
        for step in steps:
            part = step.forward(part)
        yield part


def bind_steps(steps: Iterable[Transform], table: pd.DataFrame) -> list[Transform]:
    """Bind fitted or row-wise `steps`, applied one after the other, to the patients of `table`."""
    bound: list[Transform] = []
    for step in steps:
        bound.append(step.bind(forward_parts(tuple(bound), table)))
    return bound


def _is_whole(part: pd.DataFrame) -> bool:
    values = part.to_numpy()
    return np.array_equal(values, np.rint(values), equal_nan=True)


def replace_values(table: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
    """Return a frame like `table` around `values`, without a copy."""
    return pd.DataFrame(values, index=table.index, columns=table.columns, copy=False)


def bounded_exp2(values: np.ndarray) -> np.ndarray:
    """2^x, short of overflow."""
    return np.exp2(np.minimum(values, MAX_BINARY_EXPONENT))


def log2_counts_to_counts(table: pd.DataFrame) -> np.ndarray:
    """log2(count + 1) to count, patients x features."""
    return np.exp2(table.to_numpy()) - 1


def sum_rows(values: np.ndarray) -> np.ndarray:
    """Sum each row in double precision, missing values as zero."""
    return np.asarray(np.nansum(values, axis=1, dtype=np.float64))


def refuse(mask: pd.DataFrame, step: str, problem: str) -> None:
    """Raise a ValueError that names the first cell where `mask` is true."""
    if mask.to_numpy().any():
        raise ValueError(f"Step {step}: {first_cell(mask)} {problem}.")
