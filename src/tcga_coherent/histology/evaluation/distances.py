"""How far sets of tiles are apart in the features of a network."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import eigvalsh
from sklearn.metrics.pairwise import polynomial_kernel

Features = NDArray[np.floating]


def kernel_distance(first: Features, second: Features) -> float:
    """Return the kernel inception distance (Binkowski et al. 2018): unbiased, so that it may be negative."""
    n, m = len(first), len(second)
    own, other, across = (
        polynomial_kernel(a, b, degree=3, coef0=1)
        for a, b in ((first, first), (second, second), (first, second))
    )
    within = (own.sum() - np.trace(own)) / (n * (n - 1))
    beside = (other.sum() - np.trace(other)) / (m * (m - 1))
    return float(within + beside - 2 * across.mean())


def frechet_distance(first: Features, second: Features) -> float:
    """Return the Frechet distance of normal distributions (Heusel et al. 2017).

    It is biased upwards by thousands of tiles: compare it among sets of one size alone.
    """
    means = [part.mean(axis=0, dtype=float) for part in (first, second)]
    a, b = (np.cov(part, rowvar=False) for part in (first, second))
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    # The trace of the root of a b, whose eigenvalues are those of the symmetric root(a) b root(a).
    cross = np.sqrt(eigvalsh(root @ b @ root).clip(min=0)).sum()
    difference = means[0] - means[1]
    return float(difference @ difference + np.trace(a) + np.trace(b) - 2 * cross)


def compare_sets(
    reference: Features, sets: Mapping[str, Features], repeats: int, seed: int
) -> pd.DataFrame:
    """Return the distance of each set to the reference.

    Parameters
    ----------
    reference
        Features of real tiles, n x width.
    sets
        Features of what is compared to them.
    repeats, seed
        Pairs of random halves of both whose kernel distances have the standard deviation that is given.

    Returns
    -------
    DataFrame
        ``tiles``, ``n``, ``n_reference``, ``kid_x1000`` of all, ``kid_x1000_sd`` over halves, ``frechet``.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for name, features in sets.items():
        halves = [
            kernel_distance(*(part[rng.permutation(len(part))[: max(2, len(part) // 2)]] for part in (features, reference)))
            for _ in range(repeats)
        ]  # fmt: skip
        rows.append(
            {
                "tiles": name,
                "n": len(features),
                "n_reference": len(reference),
                "kid_x1000": 1000 * kernel_distance(features, reference),
                "kid_x1000_sd": 1000 * float(np.std(halves)),
                "frechet": frechet_distance(features, reference),
            }
        )
    return pd.DataFrame(rows)
