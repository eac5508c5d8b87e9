"""Forests as arrays: the predictions of the library to the bit, and nothing that could run or lead astray."""

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.classification import ClassOutcomes
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.stored_forest import StoredForest
from tcga_coherent.downstream.tasks.survival import SurvivalOutcomes

# Years of 300 days are no multiple of the unit.
FORESTS = ForestParameters(12, 5, 30.0, survival_years=(5, 0.01, 1, 2, 400))
RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.standard_normal((120, 4)), RNG.standard_normal((50, 4))


@pytest.fixture(scope="module")
def classes():
    labels = pd.Series(np.where(TRAIN[:, 0] > 0, "II", np.where(TRAIN[:, 1] > 0, "I", "IV")))
    return ClassOutcomes(labels, labels).fit(TRAIN, FORESTS, seed=0)


@pytest.fixture(scope="module")
def survival():
    days = 900 * np.exp(-TRAIN[:, 0]) * RNG.exponential(1, 120) + 1
    outcomes = pd.DataFrame({"event": RNG.random(120) < 0.7, "days": days})
    return SurvivalOutcomes(outcomes, outcomes, 30.0).fit(TRAIN, FORESTS, seed=0)


def test_a_class_forest_predicts_as_scikit_learn_does_also_with_missing_values(classes) -> None:
    stored = classes.stored(FORESTS)
    assert stored.outputs == ("I", "II", "IV")
    incomplete = TEST.copy()
    incomplete[::2, 1:] = np.nan
    for features in (TEST, incomplete):
        np.testing.assert_array_equal(
            stored.predict(features), classes.forest.predict_proba(features)
        )
    np.testing.assert_allclose(stored.quantities(TEST).sum(axis=1), 1)


def test_a_survival_forest_predicts_as_scikit_survival_does_within_the_follow_up(survival) -> None:
    stored = survival.stored(FORESTS)
    last = survival.forest.unique_times_[-1] * 30 / 365.25
    years = [year for year in (0.01, 1, 2, 5) if year <= last]
    assert stored.outputs == ("risk", *(f"survival@{year:g}" for year in years))
    assert 2 in years
    np.testing.assert_allclose(stored.predict(TEST)[:, 0], survival.forest.predict(TEST))
    functions = survival.forest.predict_survival_function(TEST)
    for number, year in enumerate(years):
        # Before the first time of the training patients everybody is alive.
        at = year * 365.25 / 30
        expected = [f(at) if at >= f.x[0] else 1.0 for f in functions]
        np.testing.assert_allclose(stored.quantities(TEST)[:, 1 + number], expected)


def test_a_leaf_holds_what_the_patients_in_it_say(classes) -> None:
    """One tree of one decision, by hand."""
    tree = StoredForest(
        ("a", "b"),
        1,
        2,
        np.array([3], np.int32),
        {
            "children_left": np.array([1, -1, -1], np.int32),
            "children_right": np.array([2, -1, -1], np.int32),
            "feature": np.array([1, -2, -2], np.int32),
            "threshold": np.array([0.5, -2, -2]),
            "missing_go_to_left": np.array([1, 0, 0], np.uint8),
        },
        np.array([[0.25, 7.0], [0.75, 9.0]]),
    )
    rows = np.array([[9.0, 0.5], [0.0, 0.6], [0.0, np.nan]])
    np.testing.assert_array_equal(tree.quantities(rows), [[0.25, 7], [0.75, 9], [0.25, 7]])
    np.testing.assert_array_equal(tree.predict(rows), [[0.25], [0.75], [0.25]])


def test_a_stored_forest_is_read_as_it_was(survival) -> None:
    stored = survival.stored(FORESTS)
    arrays, metadata = stored.state()
    again = StoredForest.from_state(arrays, metadata)
    np.testing.assert_array_equal(again.quantities(TEST), stored.quantities(TEST))
    assert {array.dtype.kind for array in arrays.values()} <= {"i", "u", "f"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("children_left", 0),
        ("children_right", 10_000),
        ("children_right", 0),
        ("feature", 4),
        ("feature", -1),
    ],
)
def test_a_node_that_leads_astray_is_refused(classes, name: str, value: int) -> None:
    """A root that is its own child would never end, a feature that is none reads other memory."""
    arrays, metadata = classes.stored(FORESTS).state()
    arrays[name] = arrays[name].copy()
    arrays[name][0] = value
    with pytest.raises(ValueError, match=r"trees that predict I, II, IV are damaged: run"):
        StoredForest.from_state(arrays, metadata)


@pytest.mark.parametrize("name", ["threshold", "leaf_values", "n_nodes"])
def test_arrays_of_other_lengths_are_refused(classes, name: str) -> None:
    arrays, metadata = classes.stored(FORESTS).state()
    with pytest.raises(ValueError, match="are damaged"):
        StoredForest.from_state({**arrays, name: arrays[name][:-1]}, metadata)
