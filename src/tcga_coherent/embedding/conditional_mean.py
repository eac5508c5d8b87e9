"""Missing features of a patient, as expected from those that were measured.

Features are taken to be normal: factors along principal axes, and noise of each feature's own,
``x = mean + W z + e`` with ``z ~ N(0, I)`` and ``e ~ N(0, diag(noise))``, as in factor analysis. Of the measured
features ``o`` the factors are ``z = (I + W_o' N_o^-1 W_o)^-1 W_o' N_o^-1 (x_o - mean_o)`` (Bishop, Pattern Recognition
and Machine Learning, eq. 12.41), and a missing feature is expected at ``mean + W z``. All it takes is what an
encoder holds: no patient's row, as imputation from neighbours does.
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]

# Of features whose variance is 1: where the axes leave nothing of a feature, others would follow its rounding.
LEAST_NOISE = 1e-3


def fill_gaps(rows: Matrix, mean: Matrix, loadings: Matrix, noise: Matrix) -> Matrix:
    """Replace missing values by their conditional means.

    Parameters
    ----------
    rows
        Patients x features; NaN where nothing was measured.
    mean
        Of each feature, shape (n_features,).
    loadings
        Principal axes, each multiplied by the standard deviation of its scores, shape (n_axes, n_features).
    noise
        Variance of each feature that the axes do not explain, shape (n_features,).

    Returns
    -------
    numpy.ndarray
        `rows` without missing values. A patient of whom nothing was measured gets the mean.
    """
    gaps = np.isnan(rows)
    incomplete = np.flatnonzero(gaps.any(axis=1))
    if not len(incomplete):
        return rows
    filled = rows.copy()
    loadings = loadings.astype(float)
    weighted = loadings / np.maximum(noise, LEAST_NOISE)
    of_all = np.eye(len(loadings)) + weighted @ loadings.T
    patterns, pattern_of = np.unique(
        np.packbits(gaps[incomplete], axis=1), axis=0, return_inverse=True
    )
    order = np.argsort(pattern_of, kind="stable")
    ends = np.cumsum(np.bincount(pattern_of, minlength=len(patterns)))
    for alike in np.split(incomplete[order], ends[:-1]):
        missing = gaps[alike[0]]
        measured = ~missing
        precision = of_all - weighted[:, missing] @ loadings[:, missing].T
        deviations = rows[alike][:, measured].astype(float) - mean[measured]
        factors = np.linalg.solve(precision, weighted[:, measured] @ deviations.T)
        filled[np.ix_(alike, missing)] = mean[missing] + factors.T @ loadings[:, missing]
    return filled
