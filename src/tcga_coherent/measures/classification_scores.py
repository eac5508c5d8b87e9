"""Macro F1 and balanced accuracy, also over bootstrap samples of the patients."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.fidelity import Array


@dataclass(frozen=True)
class ClassScores:
    """Scores of predicted classes, one for each row of the counts they were made with.

    Attributes
    ----------
    macro_f1
        Unweighted mean of the F1 of the classes that occur among the true ones.
    balanced_accuracy
        Unweighted mean of their recall.
    """

    macro_f1: Array
    balanced_accuracy: Array


def class_scores(
    truth: np.ndarray, predicted: np.ndarray, counts: Counts | None = None
) -> ClassScores:
    """Score predicted classes.

    Parameters
    ----------
    truth, predicted
        True and predicted class of each patient. A predicted class that no patient has is a
        mistake, not a class of its own to average over: scikit-learn's
        ``f1_score(average="macro", labels=np.unique(truth))``.
    counts
        How often each patient counts, samples x patients; each patient once where it is None.
        Classes that a sample does not hold are left out of its means.

    Returns
    -------
    ClassScores
        Arrays with one value a sample.
    """
    classes = np.unique(truth)
    n_patients = len(truth)
    weights = np.ones((1, n_patients)) if counts is None else counts.astype(float)
    is_true = truth[:, None] == classes
    is_predicted = predicted[:, None] == classes
    return scores_of_counts(
        weights @ (is_true & is_predicted), weights @ is_true, weights @ is_predicted
    )


def scores_of_counts(hits: Array, true: Array, predicted: Array) -> ClassScores:
    """Score counts of patients by class, samples x classes; they may be expectations.

    Parameters
    ----------
    hits
        Patients of the class predicted to be of it.
    true, predicted
        Patients of the class, and patients predicted to be of it.
    """
    present = true > 0
    f1 = np.divide(2 * hits, true + predicted, out=np.zeros_like(hits), where=present)
    recall = np.divide(hits, true, out=np.zeros_like(hits), where=present)
    n_present = present.sum(axis=1)
    return ClassScores(f1.sum(axis=1) / n_present, recall.sum(axis=1) / n_present)


def most_probable(probabilities: Array, classes: Sequence[str]) -> np.ndarray:
    """Return the most probable class of each patient; probabilities are patients x classes."""
    return np.asarray(classes)[probabilities.argmax(axis=-1)]
