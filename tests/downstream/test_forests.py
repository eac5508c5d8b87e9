from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.forests import (
    ForestParameters,
    fit_classifier,
    fit_survival_forest,
    survival_time,
)
from tcga_coherent.measures.concordance import c_index, comparable_pairs, concordant_pairs

PARAMETERS = ForestParameters(n_trees=20, survival_min_samples_leaf=5, survival_time_unit=30.0)
RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((300, 3))


def test_a_classifier_learns_and_reads_missing_values() -> None:
    labels = pd.Series(np.where(FEATURES[:, 0] > 0, "II", "I"))
    forest = fit_classifier(FEATURES[:200], labels[:200], PARAMETERS, seed=1)
    assert (forest.predict(FEATURES[200:]) == labels[200:]).mean() > 0.9
    assert forest.n_estimators == 20
    assert forest.predict_proba(np.full((1, 3), np.nan)).sum() == pytest.approx(1)


def test_the_leaves_of_a_classifier_hold_as_many_patients_as_they_have_to() -> None:
    labels = pd.Series(RNG.choice(["I", "II"], 300))
    for least in (1, 20):
        settings = replace(PARAMETERS, class_min_samples_leaf=least)
        trees = fit_classifier(FEATURES, labels, settings, seed=1).estimators_
        leaves = np.concatenate(
            [t.tree_.n_node_samples[t.tree_.children_left == -1] for t in trees]
        )
        assert least <= leaves.min() < least + 5


def test_a_classifier_may_be_trained_on_incomplete_patients() -> None:
    gaps = FEATURES.copy()
    gaps[::2, 1:] = np.nan
    labels = pd.Series(np.where(FEATURES[:, 0] > 0, "II", "I"))
    forest = fit_classifier(gaps[:200], labels[:200], PARAMETERS, seed=1)
    assert (forest.predict(gaps[200:]) == labels[200:]).mean() > 0.9


def test_the_seed_decides_the_forest() -> None:
    labels = pd.Series(RNG.choice(["I", "II"], 300))
    first, again, other = (
        fit_classifier(FEATURES, labels, PARAMETERS, seed).predict_proba(FEATURES)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_survival_forest_gives_those_who_die_early_a_higher_risk() -> None:
    days = 1000 * np.exp(-3 * FEATURES[:, 0]) * RNG.exponential(1, 300) + 1
    outcomes = pd.DataFrame({"event": RNG.random(300) < 0.7, "days": days})
    forest = fit_survival_forest(FEATURES[:200], outcomes[:200], PARAMETERS, seed=1)
    test = outcomes[200:]
    risk = forest.predict(FEATURES[200:])
    assert c_index(concordant_pairs(risk), comparable_pairs(test)) > 0.7
    # A missing value is read, and the risk of the patient is then less extreme.
    missing = forest.predict(np.full((1, 3), np.nan))
    assert risk.min() < missing < risk.max()


def test_survival_times_are_rounded_up_to_the_unit() -> None:
    assert list(survival_time(np.array([1.0, 30.0, 31.0]), PARAMETERS)) == [1, 1, 2]


def test_of_too_many_patients_a_forest_learns_from_as_many_at_random(caplog) -> None:
    """Labels of those it does not learn from may be anything."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 4))
    few = replace(PARAMETERS, max_patients=100)
    chosen = np.sort(np.random.default_rng(7).permutation(300)[:100])
    labels = pd.Series(np.where(features[:, 0] > 0, "II", "I"))
    spoilt = labels.where(labels.index.isin(chosen), "IV")
    with caplog.at_level("INFO", logger="tcga_coherent"):
        capped = fit_classifier(features, spoilt, few, seed=7)
    assert "learns from 100 of 300 patients" in caplog.text
    assert list(capped.classes_) == ["I", "II"]
    whole = fit_classifier(features[chosen], labels[chosen], PARAMETERS, seed=7)
    np.testing.assert_array_equal(capped.predict_proba(features), whole.predict_proba(features))
    outcomes = pd.DataFrame({"event": rng.random(300) < 0.7, "days": rng.exponential(500, 300) + 1})
    spoilt = outcomes.copy()
    spoilt.loc[~spoilt.index.isin(chosen)] = [True, 1.0]
    capped, whole = (
        fit_survival_forest(features[rows], frame.iloc[rows], parameters, 7).predict(features)
        for rows, frame, parameters in (
            (slice(None), spoilt, few),
            (chosen, outcomes, PARAMETERS),
        )
    )
    np.testing.assert_array_equal(capped, whole)
