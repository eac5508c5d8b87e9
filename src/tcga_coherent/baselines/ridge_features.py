"""Ridge regression on the sources' features: all that they hold, not their latents alone."""

import numpy as np

from tcga_coherent.baselines.baseline import Baseline, BaselineParameters, Examples, Regressor


def fit(examples: Examples, parameters: BaselineParameters) -> Regressor:
    """Fit with the penalty of the least error on the validation patients.

    Leave-one-out errors, as of the ridge on latents, would take a factorisation of every patient's features.
    """
    from sklearn.linear_model import Ridge

    fitted = [
        Ridge(alpha, solver="cholesky").fit(examples.train_x, examples.train_y)
        for alpha in parameters.ridge_features_alphas
    ]
    errors = [np.mean((examples.val_y - ridge.predict(examples.val_x)) ** 2) for ridge in fitted]
    return fitted[int(np.argmin(errors))]


BASELINE = Baseline("ridge_features", "Ridge on features", "#000054", "<", fit, reads="codes")
