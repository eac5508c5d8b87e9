"""How much of one set of points lies on the manifold of another.

Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative models: the
manifold of a set is the union of balls around its points, each as large as the distance to the
point's k-th nearest neighbour in the set. Precision is the share of generated points on the manifold
of the real ones (realistic), recall the share of real points on that of the generated ones (nothing
left out).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from tcga_coherent.measures.fidelity import Array

# Rows whose distances are held at a time.
CHUNK_ROWS = 1024


def on_manifold(points: Array, reference: Array, n_neighbors: int) -> NDArray[np.bool_]:
    """Tell which points lie on the manifold of a reference set.

    Parameters
    ----------
    points
        Points x dimensions. Precision takes the generated ones and recall the real ones.
    reference
        The other set, more than `n_neighbors` points x dimensions.
    n_neighbors
        Which nearest neighbour, itself not counted, bounds the ball around a reference point.

    Raises
    ------
    ValueError
        When there are too few reference points.
    """
    if len(reference) <= n_neighbors:
        raise ValueError(
            f"{len(reference)} points have no {n_neighbors} neighbours: choose fewer neighbours."
        )
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(reference)
    # Without points of its own, the search leaves each point itself out.
    radii = search.kneighbors()[0][:, -1]
    inside = [
        (cdist(points[start : start + CHUNK_ROWS], reference) <= radii).any(axis=1)
        for start in range(0, len(points), CHUNK_ROWS)
    ]
    return np.concatenate(inside)


def f1(precision: Array, recall: Array) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall, 0 where both are."""
    precision, recall = np.asarray(precision, float), np.asarray(recall, float)
    total = precision + recall
    return np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
