import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.classification import ClassOutcomes
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.tasks.survival import SurvivalOutcomes

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


def test_a_survival_forest_gives_a_risk_and_the_disagreement_of_its_trees(features) -> None:
    days = np.exp(-features[:, 0]) * 10
    outcomes = pd.DataFrame({"event": True, "days": days})
    model = SurvivalOutcomes(outcomes, outcomes, 1.0).fit(features, FORESTS, seed=0)
    assert model.outputs == ["risk"]
    risk = model.predict(features)
    assert risk.shape == (80, 1)
    assert np.corrcoef(risk[:, 0], features[:, 0])[0, 1] > 0.8
    missing = features.copy()
    missing[:, 1] = np.nan
    trees = [tree.predict(missing) for tree in model.forest.estimators_]
    np.testing.assert_allclose(np.mean(trees, axis=0), model.predict(missing)[:, 0])
    np.testing.assert_allclose(np.std(trees, axis=0), model.doubt(missing))
