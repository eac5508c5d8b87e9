"""Ridge regression."""

from tcga_coherent.baselines.baseline import Baseline, BaselineParameters, Examples, Regressor


def fit(examples: Examples, parameters: BaselineParameters) -> Regressor:
    """Fit with the penalty of the least leave-one-out error."""
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=list(parameters.ridge_alphas)).fit(examples.train_x, examples.train_y)


BASELINE = Baseline("ridge", "Ridge", "#AA3377", "v", fit)
