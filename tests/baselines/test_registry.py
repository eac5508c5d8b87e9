import numpy as np
from sklearn.linear_model import LinearRegression

from tcga_coherent.baselines.baseline import Baseline, BaselineParameters
from tcga_coherent.baselines.predictions import predict_baselines, read_baseline
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.modality import TAKEN_NAMES

PARAMETERS = BaselineParameters(
    ridge_alphas=(1e-6,), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10,)
)


def test_a_further_baseline_is_predicted_with_as_soon_as_it_is_registered(simulation, monkeypatch):
    plain = Baseline(
        "plain",
        "Least squares",
        "#000000",
        "o",
        lambda examples, _: LinearRegression().fit(examples.train_x, examples.train_y),
    )
    monkeypatch.setitem(BASELINES, "plain", plain)
    predictions = dict(predict_baselines(simulation.cohort, PARAMETERS))
    cohort = simulation.cohort
    target, *others = cohort.modalities
    stored = {name: lambda frame=frame: frame for name, frame in predictions.items()}
    # Ridge with hardly a penalty is least squares.
    plain_mean, ridge_mean = (
        read_baseline(
            stored,
            f"{target}/{method}/{'+'.join(others)}",
            cohort.test,
            list(cohort.latents[target].columns),
        ).mean
        for method in ("plain", "ridge")
    )
    np.testing.assert_allclose(plain_mean, ridge_mean, atol=1e-4)


def test_no_modality_can_have_the_name_of_a_baseline():
    assert set(BASELINES) <= TAKEN_NAMES
