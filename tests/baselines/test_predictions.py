import numpy as np
import pytest

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.models import fit_baseline
from tcga_coherent.baselines.predictions import predict_baselines, read_baseline

PARAMETERS = BaselineParameters(
    ridge_alphas=(1.0, 10.0), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10, 30)
)


@pytest.fixture(scope="module")
def predictions(simulation):
    frames = dict(predict_baselines(simulation.cohort, PARAMETERS))
    return {name: lambda frame=frame: frame for name, frame in frames.items()}


def test_every_baseline_predicts_every_target_from_every_set_of_sources(predictions) -> None:
    assert len(predictions) == 3 * 3 * 4
    assert {"cna/ridge/rnaseq+rppa", "rppa/mean/cna", "rnaseq/knn/cna"} <= set(predictions)


def test_what_is_read_is_what_the_baseline_says(simulation, predictions) -> None:
    cohort = simulation.cohort
    baseline = fit_baseline("ridge", "cna", ("rppa",), cohort, PARAMETERS)
    patients = cohort.test[::-1]
    columns = list(cohort.latents["cna"].columns)[::-1]
    found = read_baseline(predictions, "cna/ridge/rppa", patients, columns)
    expected = baseline.predict(cohort, patients)
    np.testing.assert_allclose(found.mean, expected[:, ::-1])
    np.testing.assert_allclose(found.noise_sd, baseline.noise_sd[::-1])


def test_predictions_of_other_patients_are_refused(simulation, predictions) -> None:
    cohort = simulation.cohort
    columns = list(cohort.latents["cna"].columns)
    with pytest.raises(ValueError, match="cna/knn/rppa is of other patients"):
        read_baseline(predictions, "cna/knn/rppa", cohort.train, columns)
    with pytest.raises(ValueError, match="no partition cna/knn/wsi"):
        read_baseline(predictions, "cna/knn/wsi", cohort.test, columns)
