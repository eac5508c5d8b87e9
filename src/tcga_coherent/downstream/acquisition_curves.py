"""How good predictions are while a modality is measured for more and more patients.

At a share q of the patients the modality is measured for those whom a strategy puts first, and the
others are predicted without it. A scorer judges the mixture, for the patients as they are and for
bootstrap samples of them: whom the strategy puts first stays as it was on all of them.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import pandas as pd

from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.classification_scores import scores_of_counts
from tcga_coherent.measures.concordance import comparable_pairs, concordant_pairs
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import Score

# Shares of the patients for whom the modality is measured.
RATIOS = np.linspace(0, 1, 21)


class Scorer(Protocol):
    """Judges predictions of the same patients.

    ``before`` and ``after`` are what is predicted without and with the modality, repeats x patients
    x outputs. Scores have the points of a curve, :data:`RATIOS`, as second axis.
    """

    metric: str
    n_patients: int

    def informed(self, before: Array, after: Array, order: Array) -> Score:
        """Follow the acquisition in an order, repeats x patients: the first one first."""
        ...

    def random(self, before: Array, after: Array) -> Score:
        """Return the expectation over all orders, in closed form."""
        ...

    def gain(self, before: Array, after: Array) -> Array:
        """Return what measuring each patient alone is worth, repeats x patients; needs the truth."""
        ...


class MacroF1Scorer:
    """Macro F1 of the most probable class.

    Parameters
    ----------
    truth
        Class of each patient.
    classes
        Outputs of the predictions.
    counts
        How often each patient counts in each bootstrap sample, samples x patients.
    """

    metric = "macro_f1"

    def __init__(self, truth: np.ndarray, classes: list[str], counts: Counts) -> None:
        self.n_patients = len(truth)
        # One column for each class that somebody predicts or has.
        names = [*classes, *sorted(set(truth) - set(classes))]
        self._n_unknown = len(names) - len(classes)
        self._is_true = (truth[:, None] == np.array(names)).astype(float)
        everyone = np.ones((1, self.n_patients))
        self._weights = np.vstack([everyone, counts])
        self._true = self._weights @ self._is_true

    def informed(self, before: Array, after: Array, order: Array) -> Score:
        """Follow the acquisition in an order."""
        old, new = self._chosen(before), self._chosen(after)
        scores = []
        for chosen_old, chosen_new, patients in zip(old, new, order, strict=True):
            place = np.argsort(patients)
            scores.append(
                [
                    self._f1(np.where((place < n)[:, None], chosen_new, chosen_old))
                    for n in n_acquired(self.n_patients)
                ]
            )
        return _curve(np.array(scores))

    def random(self, before: Array, after: Array) -> Score:
        """Return the macro F1 of the expected counts of patients by true and predicted class."""
        old, new = self._chosen(before), self._chosen(after)
        shares = n_acquired(self.n_patients) / self.n_patients
        scores = [
            [self._f1(share * chosen_new + (1 - share) * chosen_old) for share in shares]
            for chosen_old, chosen_new in zip(old, new, strict=True)
        ]
        return _curve(np.array(scores))

    def gain(self, before: Array, after: Array) -> Array:
        """Whether the class becomes right or wrong, and the gain in its probability besides."""
        old, new = self._chosen(before), self._chosen(after)
        right = ((new - old) * self._is_true).sum(axis=-1)
        known = self._is_true[:, : before.shape[-1]]
        more_probable = ((after - before) * known).sum(axis=-1)
        # Both lie between -1 and 1: the second decides among those alike in the first.
        return 2 * right + more_probable

    def _chosen(self, predicted: Array) -> Array:
        """Return 1 for the most probable class, repeats x patients x classes."""
        chosen = (predicted.argmax(axis=-1)[..., None] == np.arange(predicted.shape[-1])).astype(
            float
        )
        return np.pad(chosen, ((0, 0), (0, 0), (0, self._n_unknown)))

    def _f1(self, chosen: Array) -> Array:
        hits = self._weights @ (chosen * self._is_true)
        return scores_of_counts(hits, self._true, self._weights @ chosen).macro_f1


class ConcordanceScorer:
    """Harrell's C-index of a risk.

    Parameters
    ----------
    outcomes
        ``event`` and ``days`` of each patient.
    counts
        How often each patient counts in each bootstrap sample, samples x patients.
    """

    metric = "harrell_c_index"

    def __init__(self, outcomes: pd.DataFrame, counts: Counts) -> None:
        self.n_patients = len(outcomes)
        # No other patient comes first in a comparable pair.
        self._died = outcomes["event"].to_numpy(bool)
        self._comparable = comparable_pairs(outcomes)[self._died]
        self._counts = counts.astype(float)
        self._total = self._comparable.sum()
        self._totals = self._weigh(self._comparable)

    def informed(self, before: Array, after: Array, order: Array) -> Score:
        """Follow the acquisition in an order."""
        place = np.argsort(order, axis=-1)
        mixtures = (
            np.where(place < n, after[..., 0], before[..., 0]) for n in n_acquired(self.n_patients)
        )
        points = [self._judge(self._concordant(risk, risk) for risk in risks) for risks in mixtures]
        return Score(
            np.stack([by_repeat for by_repeat, _ in points], axis=1),
            np.stack([by_sample for _, by_sample in points], axis=1),
        )

    def random(self, before: Array, after: Array) -> Score:
        """Return the expected C-index: each pair by the probability of how many are measured."""
        old, new = before[..., 0], after[..., 0]
        pairs = list(zip(old, new, strict=True))
        none = self._judge(self._concordant(a, a) for a, _ in pairs)
        one = self._judge(self._concordant(a, b) + self._concordant(b, a) for a, b in pairs)
        both = self._judge(self._concordant(b, b) for _, b in pairs)
        n, measured = self.n_patients, n_acquired(self.n_patients)
        n_pairs = n * (n - 1)
        p_both = measured * (measured - 1) / n_pairs
        p_none = (n - measured) * (n - measured - 1) / n_pairs
        # That it is this one of the two, and not the other.
        p_one = measured * (n - measured) / n_pairs
        by_repeat, by_sample = (
            np.outer(both[kind], p_both) + np.outer(one[kind], p_one) + np.outer(none[kind], p_none)
            for kind in (0, 1)
        )
        return Score(by_repeat, by_sample)

    def gain(self, before: Array, after: Array) -> Array:
        """Count comparable pairs that become concordant when only this patient is measured."""
        gains = []
        for old, new in zip(before[..., 0], after[..., 0], strict=True):
            stays = self._concordant(old, old)
            as_first = (self._concordant(new, old) - stays) * self._comparable
            as_second = (self._concordant(old, new) - stays) * self._comparable
            gain = as_second.sum(axis=0)
            gain[self._died] += as_first.sum(axis=1)
            gains.append(gain)
        return np.array(gains)

    def _concordant(self, risk: Array, other_risk: Array) -> Array:
        """Return whether each patient who died has a higher risk than each patient."""
        return concordant_pairs(risk[self._died], other_risk)

    def _judge(self, concordant: Iterable[Array]) -> tuple[Array, Array]:
        """Score each repeat's concordance on all patients, and their mean on the samples."""
        by_repeat, total = [], np.zeros_like(self._comparable)
        for matrix in concordant:
            right = matrix * self._comparable
            by_repeat.append(right.sum() / self._total)
            total += right
        # The C-index is linear in the concordance: that of the mean is the mean over the repeats.
        right = self._weigh(total / len(by_repeat))
        by_sample = np.divide(
            right, self._totals, out=np.full_like(right, np.nan), where=self._totals > 0
        )
        return np.array(by_repeat), by_sample

    def _weigh(self, pairs: Array) -> Array:
        return np.einsum("si,si->s", self._counts[:, self._died] @ pairs, self._counts)


def n_acquired(n_patients: int) -> np.ndarray:
    """Return the number of patients measured at each ratio."""
    return np.round(RATIOS * n_patients).astype(int)


def acquisition_order(priority: Array, seed: int) -> Array:
    """Sort patients by descending priority, ties at random.

    Parameters
    ----------
    priority
        repeats x patients.
    seed
        Seed of the order of ties.

    Returns
    -------
    ndarray
        repeats x patients: positions of the patients.
    """
    orders = []
    for repeat, values in enumerate(priority):
        ties = np.random.default_rng([seed, repeat]).random(len(values))
        orders.append(np.lexsort((ties, -values)))
    return np.array(orders)


def _curve(scores: Array) -> Score:
    """Split scores, repeats x ratios x (all patients and the samples)."""
    return Score(scores[..., 0], scores[..., 1:].mean(axis=0).T)


def area(curve: Score) -> Score:
    """Return the mean over the points of a curve."""
    return Score(curve.by_repeat.mean(axis=1), curve.by_sample.mean(axis=1))
