"""The mean of the training patients."""

from tcga_coherent.baselines.baseline import Baseline, BaselineParameters, Examples, Regressor


def fit(examples: Examples, _: BaselineParameters) -> Regressor:
    """Fit the mean."""
    from sklearn.dummy import DummyRegressor

    return DummyRegressor().fit(examples.train_x, examples.train_y)


BASELINE = Baseline("mean", "Mean", "#BBBBBB", "d", fit, constant=True)
