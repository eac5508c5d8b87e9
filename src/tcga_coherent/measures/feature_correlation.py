"""How well single features are predicted: their correlation over patients."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.fidelity import Array

# Bootstrap samples whose correlations of all features are held at a time.
CHUNK_SAMPLES = 100
# A prediction that varies less than this beside the truth is constant but for rounding.
CONSTANT = 1e-5


def feature_correlations(truth: Array, prediction: Array) -> NDArray[np.float64]:
    """Pearson correlation of each feature over the patients.

    Parameters
    ----------
    truth, prediction
        Patients x features.

    Returns
    -------
    ndarray
        One value a feature, NaN where the truth or the prediction is the same for all patients.

    Raises
    ------
    ValueError
        When the shapes differ.
    """
    everyone_once = np.ones((1, len(truth)), dtype=np.int64)
    return next(resampled_correlations(truth, prediction, everyone_once))[0]


def resampled_correlations(
    truth: Array, prediction: Array, counts: Counts
) -> Iterator[NDArray[np.float64]]:
    """Yield the correlations in bootstrap samples of the patients, some samples at a time.

    Parameters
    ----------
    truth, prediction
        Patients x features.
    counts
        How often each patient is drawn, samples x patients.

    Yields
    ------
    ndarray
        Samples x features, as in :func:`feature_correlations`.

    Raises
    ------
    ValueError
        When the shapes differ.
    """
    if truth.shape != prediction.shape:
        raise ValueError(f"truth is {truth.shape}, but the prediction is {prediction.shape}.")
    # About the means, so that variances do not cancel to nothing.
    x = truth - truth.mean(axis=0, dtype=float)
    y = prediction - prediction.mean(axis=0, dtype=float)
    xx, yy, xy = x**2, y**2, x * y
    n = len(truth)
    for start in range(0, len(counts), CHUNK_SAMPLES):
        shares = counts[start : start + CHUNK_SAMPLES] / n
        mean_x, mean_y = shares @ x, shares @ y
        var_x, var_y = shares @ xx - mean_x**2, shares @ yy - mean_y**2
        covariance = shares @ xy - mean_x * mean_y
        varies = (var_x > 0) & (var_y > CONSTANT**2 * var_x)
        norm = np.sqrt(np.where(varies, var_x * var_y, 1.0))
        yield np.where(varies, covariance / norm, np.nan)
