"""How well a set of rows covers the training patients: the numbers of Table 3."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tcga_coherent.measures.bootstrap import BootstrapParameters, Counts, patient_interval
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.precision_recall import f1, on_manifold

METRICS = ("precision", "recall", "f1", "energy_distance")


def closeness(train: Array, rows: Array, n_neighbors: int) -> dict[str, float]:
    """Return precision, recall and F1 of the training patients' manifold, and energy distance.

    Parameters
    ----------
    train
        Training patients x dimensions.
    rows
        Generated or other rows x dimensions.
    n_neighbors
        Neighbour that bounds the balls of a manifold (k of Kynkäänniemi et al., 2019).

    Raises
    ------
    ValueError
        When there are not more patients or rows than neighbours.
    """
    precision = on_manifold(rows, train, n_neighbors).mean()
    recall = on_manifold(train, rows, n_neighbors).mean()
    return {
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1(precision, recall)),
        "energy_distance": energy_distance(train, rows),
    }


def energy_distance(train: Array, rows: Array) -> float:
    """Energy distance of two sets, squared and unbiased (U statistic).

    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` (Székely and Rizzo, 2013), with X and X' (Y and Y') never
    the same row: zero in expectation for sets of one distribution, and by chance below it.

    Parameters
    ----------
    train, rows
        Patients or rows x dimensions.
    """
    return float(2 * cdist(train, rows).mean() - _mean_within(train) - _mean_within(rows))


def _mean_within(rows: Array) -> float:
    """Mean distance of two different rows."""
    return float(cdist(rows, rows).sum() / (len(rows) * (len(rows) - 1)))


def energy_distance_interval(
    train: Array, rows: Array, parameters: BootstrapParameters, seed: int
) -> tuple[float, float]:
    """Return the interval of the energy distance over the training patients; the rows are given.

    Parameters
    ----------
    train, rows
        Patients or rows x dimensions.
    parameters
        How often patients are drawn with replacement, and the share that the interval holds.
    seed
        Seed of these samples.
    """
    between_train = cdist(train, train)
    to_rows = cdist(train, rows).mean(axis=1)
    between_rows = _mean_within(rows)

    def distances(counts: Counts) -> NDArray[np.float64]:
        n = len(train)
        weights = counts.astype(float)
        pairs = np.einsum("si,si->s", weights @ between_train, weights)
        # Pairs of different patients, however often each was drawn.
        n_pairs = n**2 - np.einsum("si,si->s", weights, weights)
        return (2 * weights @ to_rows / n - pairs / n_pairs - between_rows)[:, np.newaxis]

    low, high = patient_interval(distances, len(train), parameters, seed)
    return float(low[0]), float(high[0])
