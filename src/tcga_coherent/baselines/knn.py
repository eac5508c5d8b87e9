"""Nearest neighbours."""

import numpy as np

from tcga_coherent.baselines.baseline import Baseline, BaselineParameters, Examples, Regressor


def fit(examples: Examples, parameters: BaselineParameters) -> Regressor:
    """Fit with the number of neighbours of the least error on the validation patients.

    Raises
    ------
    ValueError
        When every number exceeds that of the training patients.
    """
    from sklearn.neighbors import KNeighborsRegressor

    n_train = len(examples.train_x)
    possible = [k for k in parameters.knn_neighbors if k <= n_train]
    if not possible:
        raise ValueError(
            f"All of evaluation.baselines.knn_neighbors "
            f"({', '.join(map(str, parameters.knn_neighbors))}) exceed the {n_train} training "
            f"patients: add a smaller one."
        )
    knn = KNeighborsRegressor(n_neighbors=max(possible)).fit(examples.train_x, examples.train_y)
    # Nearest first: the neighbours for a smaller k are the head of those for the largest.
    neighbors = examples.train_y[knn.kneighbors(examples.val_x, return_distance=False)]
    errors = [np.mean((examples.val_y - neighbors[:, :k].mean(axis=1)) ** 2) for k in possible]
    return knn.set_params(n_neighbors=possible[int(np.argmin(errors))])


BASELINE = Baseline("knn", "kNN", "#117733", "P", fit)
