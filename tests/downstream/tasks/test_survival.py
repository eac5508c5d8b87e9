import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.tasks.survival import SurvivalOutcomes

FORESTS = ForestParameters(n_trees=10, survival_min_samples_leaf=5, survival_time_unit=1)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((80, 3))


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
