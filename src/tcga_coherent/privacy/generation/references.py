"""What unconditional generation is held against: real patients, plain distributions, copies."""

from collections.abc import Callable

import numpy as np

from tcga_coherent.measures.fidelity import Array

Reference = Callable[[Array, int, np.random.Generator], Array]


def copies(train: Array, n_rows: int, rng: np.random.Generator) -> Array:
    """Return training patients drawn with replacement: a generator that only remembers.

    Parameters
    ----------
    train
        Training patients, patients x dimensions.
    n_rows
        Number of rows.
    rng
        Source of randomness.
    """
    return train[rng.integers(len(train), size=n_rows)]


def gaussian(train: Array, n_rows: int, rng: np.random.Generator) -> Array:
    """Return draws from the normal distribution with mean and covariance of training patients.

    Parameters are those of :func:`copies`.
    """
    covariance = np.atleast_2d(np.cov(train, rowvar=False))
    return rng.multivariate_normal(train.mean(axis=0), covariance, size=n_rows, method="eigh")


def standard_normal(train: Array, n_rows: int, rng: np.random.Generator) -> Array:
    """Return standard normal draws, which hold nothing of anybody.

    Parameters are those of :func:`copies`.
    """
    return rng.standard_normal((n_rows, train.shape[1]))


def unlinked(blocks: list[Array], rng: np.random.Generator) -> Array:
    """Return real modalities side by side, each of another patient.

    What a perfect generator scores on the concatenation if it draws modalities on their own.

    Parameters
    ----------
    blocks
        Modalities of the same patients, each patients x dimensions.
    rng
        Source of randomness.
    """
    return np.hstack([block[rng.permutation(len(block))] for block in blocks])


DISTRIBUTIONS: dict[str, Reference] = {
    "gaussian": gaussian,
    "standard_normal": standard_normal,
    "copy": copies,
}
