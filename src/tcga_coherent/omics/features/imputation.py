"""Fill missing values from the training patients, in standardised units.

Only rows that miss something are touched. Training patients are imputed among themselves; all
others from the training patients *as imputed*.
"""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from tcga_coherent.omics.blocks import as_frame, column_blocks

# Patients whose distances to all donors are in memory at a time.
RECEIVERS = 1024


def impute_among_patients(
    table: pd.DataFrame, train_ids: pd.Index, neighbours: int, *, overwrite: bool = False
) -> pd.DataFrame:
    """Impute training patients among themselves and others from them.

    A missing value becomes the mean of the nearest donors that have it. Distances are Euclidean over the features
    that both patients have, scaled up for those they do not, as in ``sklearn.impute.KNNImputer``. A patient who
    shares no feature with any donor gets the donors' mean; a feature that no donor has becomes 0.

    Parameters
    ----------
    table
        Patients x features, float32.
    train_ids
        Training patients.
    neighbours
        Number of donors averaged.
    overwrite
        Fill `table` itself instead of a copy.
    """
    incomplete = _rows_with_gaps(table.to_numpy())
    if not incomplete.any():
        return table
    values = table.to_numpy(copy=not overwrite)
    is_train = table.index.isin(train_ids)
    # In the order of their names: of equally near donors the choice does not depend on that of the rows.
    train = np.flatnonzero(is_train)[np.argsort(table.index[is_train])]
    donors = values[train]
    gaps = incomplete[train]
    donors[gaps] = _fill(donors[gaps], donors, neighbours)
    values[train[gaps]] = donors[gaps]
    others = np.flatnonzero(incomplete & ~is_train)
    values[others] = _fill(values[others], donors, neighbours)
    return as_frame(values, table.index, table.columns)


def impute_with_medians(
    table: pd.DataFrame, medians: np.ndarray, *, overwrite: bool = False
) -> pd.DataFrame:
    """Replace a missing value by the feature's training median.

    Parameters
    ----------
    table
        Patients x features.
    medians
        Array of features.
    overwrite
        Fill `table` itself instead of a copy.
    """
    if not _rows_with_gaps(table.to_numpy()).any():
        return table
    values = table.to_numpy(copy=not overwrite)
    for block in column_blocks(values.shape[1]):
        part = values[:, block]
        np.copyto(part, medians[block].astype(np.float32), where=np.isnan(part))
    return as_frame(values, table.index, table.columns)


def _rows_with_gaps(values: np.ndarray) -> np.ndarray:
    gaps = np.zeros(len(values), dtype=bool)
    for block in column_blocks(values.shape[1]):
        gaps |= np.isnan(values[:, block]).any(axis=1)
    return gaps


def _fill(rows: np.ndarray, donors: np.ndarray, neighbours: int) -> np.ndarray:
    """Return a copy of `rows` without missing values."""
    filled = rows.copy()
    for start in range(0, len(rows), RECEIVERS):
        part = rows[start : start + RECEIVERS]
        distances = _distances(part, donors)
        missing = np.isnan(part)
        for feature in np.flatnonzero(missing.any(axis=0)):
            receivers = np.flatnonzero(missing[:, feature])
            known = donors[:, feature]
            having = np.flatnonzero(~np.isnan(known))
            filled[start + receivers, feature] = (
                _average_nearest(distances[np.ix_(receivers, having)], known[having], neighbours)
                if len(having)
                else 0
            )
    return filled


def _average_nearest(distances: np.ndarray, known: np.ndarray, neighbours: int) -> np.ndarray:
    """Average what the nearest donors have, for distances of receivers x donors; missing ones are far."""
    count = min(neighbours, len(known))
    nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
    comparable = ~np.isnan(np.take_along_axis(distances, nearest, axis=1))
    sums = np.where(comparable, known[nearest], 0).sum(axis=1, dtype=known.dtype)
    numbers = comparable.sum(axis=1)
    return np.where(numbers > 0, sums / np.maximum(numbers, 1), known.mean()).astype(known.dtype)


def _distances(rows: np.ndarray, donors: np.ndarray) -> np.ndarray:
    """Mean squared differences of rows x donors over the features that both have; missing without any.

    |x - y|^2 = |x|^2 + |y|^2 - 2 x y over all features, where gaps count as 0, less what one has where the
    other has a gap. In double precision, since it is a small difference of large numbers.
    """
    squares = np.zeros((len(rows), len(donors)))
    shared = np.zeros((len(rows), len(donors)))
    for block in column_blocks(rows.shape[1]):
        x, y = rows[:, block].astype(np.float64), donors[:, block].astype(np.float64)
        gaps_x, gaps_y = (csr_array(np.isnan(values), dtype=np.float64) for values in (x, y))
        x, y = np.nan_to_num(x, copy=False), np.nan_to_num(y, copy=False)
        squares -= 2 * (x @ y.T)
        x *= x
        y *= y
        squares += x.sum(axis=1)[:, np.newaxis] + y.sum(axis=1)
        squares -= gaps_x @ y.T
        squares -= (gaps_y @ x.T).T
        shared += x.shape[1] - gaps_x.sum(axis=1)[:, np.newaxis] - gaps_y.sum(axis=1)
        shared += (gaps_x @ gaps_y.T).toarray()
    return np.where(shared > 0, np.maximum(squares, 0) / np.maximum(shared, 1), np.nan)
