"""Principal components of a matrix, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

Matrix = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """Leading principal axes of a training matrix.

    Attributes
    ----------
    mean
        Mean of each feature, shape ``(n_features,)``.
    axes
        Orthonormal axes, largest variance first, shape ``(n_axes, n_features)``.
    """

    mean: Matrix
    axes: Matrix

    @classmethod
    def fit(
        cls, rows: Matrix, n_axes: int, seed: int, *, overwrite: bool = False
    ) -> "PrincipalComponents":
        """Fit the axes.

        Parameters
        ----------
        rows
            Patients x features, nothing missing.
        n_axes
            Number of axes, below the number of rows and at most the number of features.
        seed
            Seed of the randomised solver that scikit-learn takes for large matrices.
        overwrite
            Leave anything in `rows`, which saves a copy of them.
        """
        # Factorisations of this size gain little from a second thread, and lose a hundredfold
        # where another process holds its core.
        with threadpool_limits(limits=1):
            pca = PCA(n_axes, copy=not overwrite, random_state=seed).fit(rows)
        return cls(pca.mean_.astype(np.float32), pca.components_.astype(np.float32))

    def leading(self, n_axes: int) -> "PrincipalComponents":
        """Return the first `n_axes` axes only."""
        return PrincipalComponents(self.mean, self.axes[:n_axes])

    def project(self, rows: Matrix) -> Matrix:
        """Return the scores of `rows`, shape ``(n_rows, n_axes)``."""
        return (rows - self.mean) @ self.axes.T

    def reconstruct(self, scores: Matrix) -> Matrix:
        """Return the rows with the given scores, shape ``(n_rows, n_features)``."""
        rows: Matrix = scores @ self.axes
        rows += self.mean
        return rows
