"""The C-index as a sum over pairs of patients, so that a bootstrap sample is a matrix product.

A pair is comparable when the one with the shorter time died. It is concordant when that one has the
higher risk, and counts half when the risks are equal. Harrell's C-index is the share of concordant
pairs; Uno's weighs each pair by the inverse squared probability of not being censored before the
death, estimated on the training patients (Uno et al. 2011). Both equal scikit-survival's.
"""

import numpy as np
import pandas as pd

from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.fidelity import Array

# Risks closer than this are equal, as in scikit-survival.
TIED_RISK = 1e-8


def comparable_pairs(outcomes: pd.DataFrame) -> Array:
    """Return 1 where the patient of the row died before the time of the patient of the column.

    Of two with equal times, one who died is comparable with one who was censored.

    Parameters
    ----------
    outcomes
        ``event`` and ``days`` of each patient.

    Returns
    -------
    ndarray
        patients x patients.
    """
    event, days = outcomes["event"].to_numpy(bool), outcomes["days"].to_numpy(float)
    later = (days[:, None] < days) | ((days[:, None] == days) & ~event)
    return (event[:, None] & later).astype(float)


def censoring_weights(train: pd.DataFrame, test: pd.DataFrame) -> Array:
    """Return the inverse squared probability of each test patient's time being uncensored.

    Parameters
    ----------
    train, test
        ``event`` and ``days`` of the patients. The Kaplan-Meier estimate of the censoring is of the
        training patients. Deaths after their last time have no estimate and get the weight zero,
        which restricts the C-index to the time that training covers.
    """
    from sksurv.nonparametric import CensoringDistributionEstimator
    from sksurv.util import Surv

    censoring = CensoringDistributionEstimator().fit(
        Surv.from_arrays(train["event"].to_numpy(bool), train["days"].to_numpy(float))
    )
    weights = np.zeros(len(test))
    days = test["days"].to_numpy(float)
    covered = days < train["days"].max()
    if covered.any():
        weights[covered] = censoring.predict_proba(days[covered]) ** -2.0
    return weights


def concordant_pairs(risk: Array, other_risk: Array | None = None) -> Array:
    """Return 1 where the patient of the row has a higher risk than that of the column.

    Parameters
    ----------
    risk
        Risk of each patient as the row of a pair.
    other_risk
        Risk of each patient as the column, where it comes from another prediction.

    Returns
    -------
    ndarray
        patients x patients; 1/2 for equal risks.
    """
    difference = risk[:, None] - (risk if other_risk is None else other_risk)
    return np.where(np.abs(difference) <= TIED_RISK, 0.5, difference > 0)


def c_index(concordant: Array, comparable: Array, counts: Counts | None = None) -> Array:
    """Share of the comparable pairs that is concordant.

    Parameters
    ----------
    concordant
        Result of :func:`concordant_pairs`, or its expectation.
    comparable
        Result of :func:`comparable_pairs`; for Uno's C-index times
        :func:`censoring_weights` of the rows.
    counts
        How often each patient counts, samples x patients; each once where it is None.

    Returns
    -------
    ndarray
        One value a sample; NaN where no pair is comparable.
    """
    weights = np.ones((1, len(concordant))) if counts is None else counts.astype(float)
    right = np.einsum("si,si->s", weights @ (concordant * comparable), weights)
    total = np.einsum("si,si->s", weights @ comparable, weights)
    return np.divide(right, total, out=np.full(len(weights), np.nan), where=total > 0)
