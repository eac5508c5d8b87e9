import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.classification import ClassOutcomes
from tcga_coherent.downstream.forests import ForestParameters

FORESTS = ForestParameters(n_trees=10, survival_min_samples_leaf=5, survival_time_unit=1)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((80, 3))


def test_a_stage_forest_gives_probabilities_and_their_entropy(features) -> None:
    labels = pd.Series(np.where(features[:, 0] > 0, "II", "I"))
    model = ClassOutcomes(labels, labels).fit(features, FORESTS, seed=0)
    assert model.outputs == ["I", "II"]
    predicted = model.predict(features)
    np.testing.assert_allclose(predicted.sum(axis=1), 1)
    assert (predicted[:, 1] > 0.5).tolist() == (features[:, 0] > 0).tolist()
    doubt = model.doubt(features)
    assert doubt.argmax() == np.abs(predicted[:, 0] - 0.5).argmin()
    both = np.where(predicted > 0, predicted * np.log(np.where(predicted > 0, predicted, 1)), 0)
    np.testing.assert_allclose(doubt, -both.sum(axis=1))
