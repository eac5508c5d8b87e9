"""Whom a point lies next to, and how far two sets of points are apart."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from tcga_coherent.evaluation.fidelity import Array


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


def energy_matrix(real: Array, generated: Array) -> NDArray[np.float64]:
    """Return what each pair of different patients adds to the squared energy distance of two sets.

    The distance is the mean over these pairs, ``2 E|X - Y| - E|X - X'| - E|Y - Y'|``: unbiased, and
    zero in expectation where both sets follow one distribution, however alike a patient and its
    generated self are. See Székely & Rizzo (2013), Energy statistics.

    Parameters
    ----------
    real, generated
        Patients x dimensions, the same patients in their rows.

    Returns
    -------
    ndarray
        Patients x patients, the diagonal zero.
    """
    matrix = 2 * cdist(real, generated) - cdist(real, real) - cdist(generated, generated)
    np.fill_diagonal(matrix, 0)
    return matrix
