"""Fill missing values from the training patients, in standardised units.

Only rows that miss something are touched. Training patients are imputed among themselves; all
others from the training patients *as imputed*. A patient who comes after training therefore gets
the same values as one who was there from the start, given the processed training table.
"""

import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer


def impute_from_neighbours(
    table: pd.DataFrame, donors: pd.DataFrame, neighbours: int
) -> pd.DataFrame:
    """Replace a missing value by the mean of the nearest donors that have it.

    Distances are Euclidean over the features that both patients have, scaled up for those they do
    not (``sklearn.impute.KNNImputer``).

    Parameters
    ----------
    table
        Patients x features.
    donors
        Training patients x the same features; values may be missing.
    neighbours
        Number of donors averaged.

    Returns
    -------
    DataFrame
        `table` without missing values.
    """
    incomplete = np.isnan(table.to_numpy()).any(axis=1)
    if not incomplete.any():
        return table
    imputer = KNNImputer(n_neighbors=neighbours, keep_empty_features=True)
    imputer.fit(donors[table.columns].to_numpy())
    values = table.to_numpy(copy=True)
    values[incomplete] = imputer.transform(values[incomplete])
    return pd.DataFrame(values, index=table.index, columns=table.columns)


def impute_with_medians(table: pd.DataFrame, medians: np.ndarray) -> pd.DataFrame:
    """Replace a missing value by the feature's training median.

    Parameters
    ----------
    table
        Patients x features.
    medians
        Array of features.
    """
    missing = np.isnan(table.to_numpy())
    if not missing.any():
        return table
    values = np.where(missing, medians.astype(np.float32), table.to_numpy())
    return pd.DataFrame(values, index=table.index, columns=table.columns)
