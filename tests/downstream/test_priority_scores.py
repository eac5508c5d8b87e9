import numpy as np
import pytest

from tcga_coherent.downstream.priority_scores import (
    change_probability,
    decision_spread,
    expected_change,
    expected_gain,
    variance_score,
)

# Two versions of three patients: one changes class, one changes its probability alone, one nothing.
VERSIONS = np.array(
    [
        [[0.7, 0.3], [0.9, 0.1], [0.8, 0.2]],
        [[0.1, 0.9], [0.6, 0.4], [0.8, 0.2]],
    ]
)
CURRENT = np.array([[0.6, 0.4], [0.7, 0.3], [0.8, 0.2]])


def test_the_variance_is_of_probabilities_and_not_of_predicted_classes() -> None:
    """The second patient is always of the first class: a variance of labels would be zero."""
    assert (VERSIONS.argmax(axis=-1)[:, 1] == 0).all()
    np.testing.assert_allclose(variance_score(VERSIONS), [0.18, 0.045, 0])


def test_the_variance_is_the_mean_over_classes() -> None:
    """Each class varies by itself: with a third that never occurs, the mean is two thirds."""
    with_third = np.pad(VERSIONS, ((0, 0), (0, 0), (0, 1)))
    np.testing.assert_allclose(variance_score(with_third), variance_score(VERSIONS) * 2 / 3)


def test_the_expected_change_is_from_the_current_prediction() -> None:
    np.testing.assert_allclose(expected_change(VERSIONS, CURRENT), [0.3, 0.15, 0], atol=1e-12)


def test_the_expected_gain_counts_changed_decisions_alone() -> None:
    """Only in its second version would the first patient be of another class: 0.9 - 0.1."""
    np.testing.assert_allclose(expected_gain(VERSIONS, CURRENT), [0.4, 0, 0], atol=1e-12)
    np.testing.assert_allclose(expected_gain(VERSIONS, 1 - CURRENT), [0.2, 0.5, 0.6])


def test_the_probability_of_a_change_is_the_share_of_such_versions() -> None:
    np.testing.assert_allclose(change_probability(VERSIONS, CURRENT), [0.5, 0, 0])


def test_the_spread_is_of_the_current_class() -> None:
    versions = np.array([[[0.5, 0.3, 0.2]], [[0.5, 0.1, 0.4]]])
    assert decision_spread(versions, np.array([[0.6, 0.3, 0.1]]))[0] == 0
    assert decision_spread(versions, np.array([[0.2, 0.7, 0.1]]))[0] == pytest.approx(0.2 / 2**0.5)
