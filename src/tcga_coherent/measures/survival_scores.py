"""Scores of predicted survival beside Harrell's C-index, all sums over patients or pairs of them.

Being sums, they can be computed for the bootstrap counts of the patients, and their mean over
repeats of a forest is the score of the mean of the summands. Censoring is corrected for by inverse
probability weights that are estimated on the training patients, as in scikit-survival.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.concordance import censoring_weights, comparable_pairs
from tcga_coherent.measures.fidelity import Array

# Times of the area under the curve, and bounds of the Brier score's: quantiles of the deaths.
AUC_QUANTILES = (0.25, 0.5, 0.75)
BRIER_QUANTILES = (0.1, 0.9)


@dataclass(frozen=True)
class PairScore:
    """A weighted share of concordant pairs, or a weighted mean of several.

    Attributes
    ----------
    cases
        Positions of the patients who died: the rows of all pairs.
    weights
        Weight of each pair, shares x cases x patients.
    importance
        Weight of each share; they sum to 1.
    """

    cases: NDArray[np.integer]
    weights: Array
    importance: Array

    def value(self, concordant: Array, counts: Counts | None = None) -> Array:
        """Score pairs.

        Parameters
        ----------
        concordant
            Rows `cases` of the result of
            :func:`tcga_coherent.measures.concordance.concordant_pairs`, or of its mean over
            repeats.
        counts
            How often each patient counts, samples x patients; each once where it is None.

        Returns
        -------
        ndarray
            One value a sample; NaN where a share has no pair.
        """
        n_patients = self.weights.shape[-1]
        all_counts = np.ones((1, n_patients)) if counts is None else counts.astype(float)
        value = np.zeros(len(all_counts))
        for weights, importance in zip(self.weights, self.importance, strict=True):
            right, total = (
                np.einsum("sp,sp->s", all_counts[:, self.cases] @ pairs, all_counts)
                for pairs in (weights * concordant, weights)
            )
            share = np.divide(right, total, out=np.full(len(total), np.nan), where=total > 0)
            value += importance * share
        return value


def pair_scores(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, PairScore]:
    """Return the scores of the order in which the test patients die.

    Parameters
    ----------
    train, test
        ``event`` and ``days`` of the patients.

    Returns
    -------
    dict
        ``c_index`` of Harrell; ``c_index_ipcw`` of Uno (Uno et al. 2011); ``auc``, the mean over
        :data:`AUC_QUANTILES` of the test patients' deaths of the cumulative/dynamic area under the
        curve (Uno et al. 2007), weighted as scikit-survival's mean by the deaths between the times.
        Times at which no patient lives on, or none has died within the time that training covers,
        are left out.
    """
    event, days = test["event"].to_numpy(bool), test["days"].to_numpy(float)
    cases = np.flatnonzero(event)
    pairs = comparable_pairs(test)[cases]
    squared = censoring_weights(train, test)[cases, None]
    # The area under the curve weighs by the inverse probability itself.
    single = np.sqrt(squared)
    times, importance = _auc_times(train, test)
    dead = days[cases, None] <= times
    alive = days > times[:, None]
    auc = np.stack(
        [single * dead[:, [number]] * alive[number] for number in range(len(times))]
        or [np.zeros_like(pairs)]
    )
    one = np.ones(1)
    return {
        "c_index": PairScore(cases, pairs[None], one),
        "c_index_ipcw": PairScore(cases, (squared * pairs)[None], one),
        "auc": PairScore(cases, auc, importance if len(times) else one),
    }


def brier_times(train: pd.DataFrame, test: pd.DataFrame, unit: float) -> Array:
    """Return the times at which survival probabilities are scored.

    Parameters
    ----------
    train, test
        ``event`` and ``days`` of the patients.
    unit
        Days of the unit of the survival forest: its times are multiples of it.

    Returns
    -------
    ndarray
        Days; all multiples of `unit` between :data:`BRIER_QUANTILES` of the test patients' deaths
        and before the end of the training patients' follow-up. Empty where there is none.
    """
    first, last = np.quantile(test.loc[test["event"], "days"], BRIER_QUANTILES)
    times = unit * np.arange(np.ceil(first / unit), np.floor(last / unit) + 1)
    return times[times < train["days"].max()]


def integrated_brier(
    survival: Array, times: Array, train: pd.DataFrame, test: pd.DataFrame
) -> Array:
    """Squared error of predicted survival, weighted for censoring and averaged over time.

    The mean over patients is the integrated Brier score of Graf et al. (1999): 0 is perfect, 1/4 is
    that of saying one half always.

    Parameters
    ----------
    survival
        Predicted probability to outlive each time, patients x times.
    times
        Result of :func:`brier_times`; at least two.
    train, test
        ``event`` and ``days`` of the patients.

    Returns
    -------
    ndarray
        One value a test patient.
    """
    event, days = test["event"].to_numpy(bool), test["days"].to_numpy(float)
    dead = (days[:, None] <= times) & event[:, None]
    alive = days[:, None] > times
    at_death = np.sqrt(censoring_weights(train, test))[:, None]
    at_time = np.sqrt(censoring_weights(train, pd.DataFrame({"days": times})))
    error = dead * at_death * survival**2 + alive * at_time * (1 - survival) ** 2
    return np.trapezoid(error, times, axis=1) / (times[-1] - times[0])


def _auc_times(train: pd.DataFrame, test: pd.DataFrame) -> tuple[Array, Array]:
    """Return the times and their weights, which sum to 1."""
    from sksurv.nonparametric import SurvivalFunctionEstimator
    from sksurv.util import Surv

    event, days = test["event"].to_numpy(bool), test["days"].to_numpy(float)
    covered = event & (days < train["days"].max())
    times = np.unique(np.quantile(days[event], AUC_QUANTILES))
    usable = [(days > time).any() and (covered & (days <= time)).any() for time in times]
    times = times[np.array(usable, dtype=bool)]
    if not len(times):
        return times, times
    survival = SurvivalFunctionEstimator().fit(Surv.from_arrays(event, days)).predict_proba(times)
    deaths = -np.diff(np.concatenate([[1.0], survival]))
    return times, deaths / deaths.sum()
