"""Whom a point lies next to, and how far two sets of points are apart."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.fidelity import Array

# Rows whose distances are held at a time.
CHUNK_ROWS = 1024


def type_agreement(
    real: Array, real_types: np.ndarray, points: Array, types: np.ndarray, n_neighbors: int
) -> NDArray[np.float64]:
    """Share of each point's nearest real patients who have its cancer type.

    Parameters
    ----------
    real
        Real patients x dimensions.
    real_types
        Their cancer types.
    points
        As many points, such as the same patients generated; row i never counts real patient i as a
        neighbour.
    types
        Cancer type of each point.
    n_neighbors
        Number of neighbours of each point.

    Returns
    -------
    ndarray
        A share for each point.
    """
    neighbors = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(real)
    nearest = neighbors.kneighbors(points, return_distance=False)
    is_self = nearest == np.arange(len(points))[:, None]
    # A patient that is not among its own n + 1 nearest gives way to the farthest of them.
    is_self[~is_self.any(axis=1), -1] = True
    others = nearest[~is_self].reshape(len(points), n_neighbors)
    return np.mean(real_types[others] == types[:, None], axis=1)


def energy_distance(real: Array, generated: Array, counts: Counts) -> NDArray[np.float64]:
    """Return the squared energy distance of two sets in samples of their patients.

    The distance is a mean over pairs of different patients,
    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|``: unbiased, and zero in expectation where both sets follow one
    distribution, however alike a patient and its generated self are. A patient drawn twice makes no pair
    with itself. See Székely & Rizzo (2013), Energy statistics.

    Parameters
    ----------
    real, generated
        Patients x dimensions, the same patients in their rows.
    counts
        How often each patient is drawn, samples x patients.

    Returns
    -------
    ndarray
        A distance for each sample. Memory grows with the patients, not with their pairs.
    """
    n = len(real)
    total = np.zeros(len(counts))
    for start in range(0, n, CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        pairs = 2 * cdist(generated[rows], real)
        pairs -= cdist(real[rows], real)
        pairs -= cdist(generated[rows], generated)
        own = np.arange(len(pairs))
        pairs[own, start + own] = 0
        total += ((counts @ pairs.T) * counts[:, rows]).sum(axis=1)
    return total / (counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1))
