"""Scores of how much a prediction depends on a modality that was not measured.

``versions`` is versions x patients x outputs: what a model predicts of each counterfactual version of
each patient. ``current`` is patients x outputs: what it predicts now. Outputs are the classes'
probabilities, or a single risk. All scores are higher where measuring promises more.
"""

from collections.abc import Callable, Mapping

import numpy as np

from tcga_coherent.measures.fidelity import Array

VARIANCE, CHANGE = "variance_score", "expected_change"
SCORES = (VARIANCE, CHANGE)


def priority_scores(versions: Array, current: Array, has_classes: bool) -> dict[str, Array]:
    """Return the :data:`SCORES`, one value a patient each.

    Of classes only a change of the decision counts in the second (:func:`expected_gain`), of a risk every change.
    """
    expect = expected_gain if has_classes else expected_change
    return {VARIANCE: variance_score(versions), CHANGE: expect(versions, current)}


def predict_versions(
    predict: Callable[[Array], Array], profile: Mapping[str, Array], name: str, versions: Array
) -> Array:
    """Predict patients once for each version of one of their modalities.

    Parameters
    ----------
    predict
        Returns patients x outputs of patients x dimensions of all modalities.
    profile
        Modality to patients x dimensions.
    name, versions
        Modality that is exchanged, and what for, versions x patients x dimensions.

    Returns
    -------
    ndarray
        versions x patients x outputs.
    """
    # In one call, as a forest's overhead is that of its trees.
    stacked = np.vstack([with_modality(profile, name, version) for version in versions])
    predicted = predict(stacked)
    return predicted.reshape(len(versions), -1, predicted.shape[-1])


def with_modality(profile: Mapping[str, Array], name: str, values: Array) -> Array:
    """Put modalities side by side, one of them exchanged: patients x dimensions of all."""
    return np.hstack([values if other == name else profile[other] for other in profile])


def variance_score(versions: Array) -> Array:
    """Mean over the outputs of the variance over the versions (paper, Methods).

    Of probabilities, not of predicted classes: a version that makes a class less probable counts
    also where the class stays the most probable one.

    Returns
    -------
    ndarray
        One value a patient.
    """
    return versions.var(axis=0, ddof=1).mean(axis=-1)


def expected_change(versions: Array, current: Array) -> Array:
    """Mean over versions and outputs of the absolute difference from the current prediction.

    Returns
    -------
    ndarray
        One value a patient.
    """
    return np.abs(versions - current).mean(axis=(0, 2))


def expected_gain(versions: Array, current: Array) -> Array:
    """By how much a class chosen with the modality is more probable than the one chosen now.

    The mean over the versions of the probability of their most probable class less that of the
    currently most probable one. It is the expected value of the information where only the decision
    for a class counts (Howard 1966), and zero where no version changes that decision.

    Returns
    -------
    ndarray
        One value a patient.
    """
    decided = np.broadcast_to(current.argmax(axis=-1)[None, :, None], (*versions.shape[:2], 1))
    staying = np.take_along_axis(versions, decided, axis=-1)[..., 0]
    return (versions.max(axis=-1) - staying).mean(axis=0)


def change_probability(versions: Array, current: Array) -> Array:
    """Share of the versions whose most probable class is not the current one.

    Returns
    -------
    ndarray
        One value a patient.
    """
    return (versions.argmax(axis=-1) != current.argmax(axis=-1)).mean(axis=0)


def decision_spread(versions: Array, current: Array) -> Array:
    """Return the standard deviation over the versions of the currently highest output.

    That is of the probability of the predicted class, or of the risk.

    Returns
    -------
    ndarray
        One value a patient.
    """
    highest = current.argmax(axis=-1)
    return versions[:, np.arange(len(current)), highest].std(axis=0, ddof=1)
