"""Matrices of patients x features, worked on some columns or rows at a time.

A table of all of TCGA has 600 million cells. Whatever is computed of it is computed block by block, so that
beside the table and what becomes of it no third matrix of that size is in memory. New matrices hold a
feature's values one behind the other: steps run along them, and parquet is written from and read into
them without a copy.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

COLUMNS = 1024
ROWS = 256


def column_blocks(number: int) -> Iterator[slice]:
    """Yield slices that cover `number` columns; an empty one where there are none."""
    for start in range(0, max(number, 1), COLUMNS):
        yield slice(start, min(start + COLUMNS, number))


def row_blocks(number: int) -> Iterator[slice]:
    """Yield slices that cover `number` rows; an empty one where there are none."""
    for start in range(0, max(number, 1), ROWS):
        yield slice(start, min(start + ROWS, number))


def by_columns(compute: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """Join along the last axis what `compute` returns of blocks of columns of patients x features."""
    return np.concatenate(
        [compute(values[:, block]) for block in column_blocks(values.shape[1])], axis=-1
    )


def empty_matrix(patients: int, features: int) -> np.ndarray:
    """Return an uninitialised float32 matrix of patients x features."""
    return np.empty((features, patients), dtype=np.float32).T


def take(
    values: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, overwrite: bool = False
) -> np.ndarray:
    """Return some rows and columns of patients x features, as float32.

    Parameters
    ----------
    values
        Patients x features.
    rows
        Positions of the rows, in any order.
    columns
        Positions of the columns, ascending.
    overwrite
        Put them into the first rows and columns of `values` instead of a new matrix, where it is float32
        and can be written to.
    """
    in_place = (
        overwrite
        and values.dtype == np.float32
        and values.flags.writeable
        and len(rows) <= len(values)
    )
    taken = values if in_place else empty_matrix(len(rows), len(columns))
    # Columns ascend, so that none is overwritten before it was read.
    for block in column_blocks(len(columns)):
        taken.T[block, : len(rows)] = values.T[columns[block]].take(rows, axis=1)
    return taken[: len(rows), : len(columns)]


def as_frame(values: np.ndarray, index: pd.Index, columns: pd.Index) -> pd.DataFrame:
    """Return a frame around `values`, without a copy."""
    return pd.DataFrame(values, index=index, columns=columns, copy=False)
