"""How close generated latents come to the measured ones.

``truth`` is always patients x dimensions, ``draws`` always draws x patients x dimensions:
``draws[k]`` is one complete reconstruction of the test set. ``prediction`` has the shape of `truth`; shapes
that do not fit are a ValueError.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tcga_coherent.measures.bootstrap import Counts

Array = NDArray[np.floating]

# Of matrices as large as all of TCGA some rows are squared at a time.
CELLS = 2**24


def r2(truth: Array, prediction: Array) -> float:
    """Coefficient of determination over all entries of a matrix.

    ``1 - SS_res / SS_tot``, with ``SS_tot`` taken about the grand mean of `truth`: the one
    definition of R2 in this project (paper, section "Reconstruction fidelity").

    Raises
    ------
    ValueError
        When all entries of `truth` are equal.
    """
    _check_same_shape(truth, prediction)
    rows = max(CELLS // max(truth.shape[1], 1), 1)
    return r2_of_parts(
        (truth[start : start + rows], prediction[start : start + rows])
        for start in range(0, len(truth), rows)
    )


def r2_of_parts(parts: Iterable[tuple[Array, Array]]) -> float:
    """:func:`r2` of matrices of which some rows are in memory at a time.

    Parameters
    ----------
    parts
        Measured and predicted values of some rows, again and again.

    Raises
    ------
    ValueError
        When shapes differ, or all measured values are equal.
    """
    residual = total = surplus = 0.0
    cells, center = 0, np.float64(0)
    for truth, prediction in parts:
        _check_same_shape(truth, prediction)
        mean = truth.mean(dtype=float)
        if cells == 0:
            # About any number near the mean first: that of all rows is known at the end only.
            center = mean
        residual += np.sum((truth - prediction) ** 2, dtype=float)
        total += np.sum((truth - center) ** 2, dtype=float)
        surplus += (mean - center) * truth.size
        cells += truth.size
    return _explained(residual, total - surplus**2 / max(cells, 1))


def resampled_r2(truth: Array, errors: Array, counts: Array | Counts) -> NDArray[np.float64]:
    """:func:`r2` in samples of the patients.

    Parameters
    ----------
    truth
        Measured values, patients x dimensions.
    errors
        Squared error of each patient, summed over the dimensions; the last axis is patients.
    counts
        How often each patient is drawn, samples x patients.

    Returns
    -------
    ndarray
        Of the shape of `errors` with samples in the place of patients.
    """
    n_entries = counts.sum(axis=1) * truth.shape[1]
    mean = counts @ truth.sum(axis=1) / n_entries
    total = counts @ np.sum(truth**2, axis=1) - n_entries * mean**2
    return 1 - (errors @ counts.T) / total


def r2_variance_weighted(truth: Array, prediction: Array) -> float:
    """Coefficient of determination with the spread of each dimension about its own mean.

    The mean of the R2 of the dimensions, weighted by their variances; what scikit-learn's
    ``r2_score(multioutput="variance_weighted")`` computes. It is lower than :func:`r2` where the
    dimensions' means differ, and equal to it where they do not.

    Raises
    ------
    ValueError
        When every dimension of `truth` is constant.
    """
    _check_same_shape(truth, prediction)
    total = np.sum((truth - truth.mean(axis=0, dtype=float)) ** 2, dtype=float)
    return _explained(np.sum((truth - prediction) ** 2, dtype=float), total)


def r2_of_draws(truth: Array, draws: Array) -> NDArray[np.float64]:
    """R2 of each single draw: the paper's Table 1 reports their mean and standard deviation."""
    return np.array([r2(truth, draw) for draw in draws])


def mse(truth: Array, prediction: Array) -> float:
    """Mean squared error over all entries."""
    _check_same_shape(truth, prediction)
    return float(np.mean((truth - prediction) ** 2, dtype=float))


def mse_of_draws(truth: Array, draws: Array) -> float:
    """Mean squared error of single draws, averaged over them."""
    return float(np.mean([mse(truth, draw) for draw in draws]))


def cosine(truth: Array, prediction: Array) -> float:
    """Cosine between measured and predicted values of a patient, averaged over patients."""
    return float(cosine_by_patient(truth, prediction).mean())


def cosine_of_draws(truth: Array, draws: Array) -> float:
    """Cosine of single draws with the measured values, averaged over draws and patients."""
    return float(np.mean([cosine(truth, draw) for draw in draws]))


def cosine_by_patient(truth: Array, prediction: Array) -> NDArray[np.float64]:
    """Cosine between measured and predicted values of each patient.

    A patient whose values are all zero, without a direction, counts as 0.
    """
    _check_same_shape(truth, prediction)
    product = np.sum(truth * prediction, axis=-1, dtype=float)
    norms = np.linalg.norm(truth, axis=-1) * np.linalg.norm(prediction, axis=-1)
    return np.divide(product, norms, out=np.zeros_like(product), where=norms > 0)


def variance_percent(truth: Array, draws: Array) -> float:
    """Variance over a patient's draws as percent of the variance of the measured data.

    The variance over draws (with the n - 1 denominator) is averaged over patients and dimensions;
    the variance of the data is that of all entries about their grand mean, as in :func:`r2`. So a
    generator that draws from the true conditional distribution has
    ``100 * (1 - R2 of the conditional mean)`` percent (paper, Table 1, values in parentheses).

    Raises
    ------
    ValueError
        When `truth` is constant.
    """
    check_draws(truth, draws)
    data_variance = truth.var(dtype=float)
    if data_variance == 0:
        raise ValueError("All measured values are equal: their variance is zero.")
    return float(100 * draws.var(axis=0, ddof=1, dtype=float).mean() / data_variance)


def check_draws(truth: Array, draws: Array) -> None:
    """Refuse draws that are not at least two reconstructions of `truth`.

    Raises
    ------
    ValueError
        When `draws` is not draws x patients x dimensions of `truth`, or holds fewer than two draws.
    """
    if draws.ndim != 3 or draws.shape[1:] != truth.shape:
        raise ValueError(
            f"draws must be draws x patients x dimensions of the truth: got {draws.shape} for a "
            f"truth of {truth.shape}."
        )
    if len(draws) < 2:
        raise ValueError("A spread needs at least two draws a patient, got one.")


def _check_same_shape(truth: Array, prediction: Array) -> None:
    if truth.shape != prediction.shape:
        raise ValueError(f"truth is {truth.shape}, but the prediction is {prediction.shape}.")


def _explained(residual: float, total: float) -> float:
    if total == 0:
        raise ValueError("All measured values are equal: R2 is not defined.")
    return float(1 - residual / total)
