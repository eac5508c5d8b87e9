"""Whether the spread of the draws says how wrong they are.

``truth`` is patients x dimensions, ``draws`` is draws x patients x dimensions; shapes that do not match,
or fewer than two draws, are a ValueError. Each measure is
corrected for the number of draws K, so that few draws are neither a punishment nor a favour. Each
supposes that the draws of a patient are independent: antithetic ones are to be taken apart by
:func:`independent_sets`, measured set by set, and the results averaged.

References
----------
.. [1] Gneiting & Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation.
.. [2] Ferro (2014), Fair scores for ensemble forecasts.
.. [3] Fortin et al. (2014), Why should ensemble spread match the RMSE of the ensemble mean?
.. [4] Hamill (2001), Interpretation of rank histograms for verifying ensemble forecasts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcga_coherent.measures.fidelity import Array, check_draws


def independent_sets(draws: Array, antithetic: bool) -> tuple[Array, ...]:
    """Split draws into sets whose members are independent of each other.

    Antithetic draws come in pairs: draw k and draw k + K / 2 have mirrored noise. Within a pair the
    errors nearly cancel, so that all K together look narrower around their mean, and their mean
    better, than independent draws are. Each half holds one draw of each pair.

    Parameters
    ----------
    draws
        Generated values, draws x patients x dimensions.
    antithetic
        Whether the draws were made in pairs (parameter ``coherent_sampling.antithetic``).

    Returns
    -------
    tuple of arrays
        The first and the second half of antithetic draws; otherwise all draws as the only set.

    Raises
    ------
    ValueError
        When antithetic draws are odd in number.
    """
    if not antithetic:
        return (draws,)
    if len(draws) % 2:
        raise ValueError(
            f"{len(draws)} antithetic draws are not pairs: make an even number of draws, or set "
            f"coherent_sampling.antithetic to what it was when they were made."
        )
    half = len(draws) // 2
    return draws[:half], draws[half:]


def crps(truth: Array, draws: Array) -> float:
    """Continuous ranked probability score, averaged over patients and dimensions.

    The fair estimator [2]_ ``mean_k |x_k - y| - sum_{k,l} |x_k - x_l| / (2 K (K - 1))``. Lower is
    better; the unit is that of the data.
    """
    check_draws(truth, draws)
    n_draws = len(draws)
    error = np.abs(draws - truth).mean(dtype=float)
    # The sum over pairs of |x_k - x_l|, k < l, is a weighted sum of the sorted draws.
    weights = 2 * np.arange(1, n_draws + 1) - n_draws - 1
    pairs = np.tensordot(weights, np.sort(draws, axis=0).astype(float), axes=1)
    return float(error - pairs.mean() / (n_draws * (n_draws - 1)))


def energy_score(truth: Array, draws: Array) -> float:
    """Energy score: the CRPS of whole vectors, averaged over patients.

    The fair estimator with Euclidean norms over the dimensions [1]_. Unlike the CRPS it also
    notices wrong dependence between dimensions.
    """
    check_draws(truth, draws)
    n_draws = len(draws)
    error = np.linalg.norm(draws - truth, axis=2).mean(dtype=float)
    pairs = sum(
        np.linalg.norm(draws[k + 1 :] - draws[k], axis=2).sum(axis=0, dtype=float)
        for k in range(n_draws - 1)
    )
    return float(error - np.mean(pairs) / (n_draws * (n_draws - 1)))


@dataclass(frozen=True)
class Coverage:
    """How often a central interval of the draws holds the truth.

    Attributes
    ----------
    observed
        Share of entries of the truth inside their interval.
    nominal
        Share expected where truth and draws are exchangeable.
    """

    observed: float
    nominal: float


def central_coverage(truth: Array, draws: Array, level: float) -> Coverage:
    """Coverage of the central interval of the draws at a level.

    With K draws the interval from the j-th smallest to the j-th largest draw holds a further,
    exchangeable value with probability ``1 - 2 j / (K + 1)``, whatever the distribution. Where
    `level` lies between two such intervals, their coverages are interpolated, so that the
    expectation is `level` for any K. No interval of draws reaches a level above
    ``(K - 1) / (K + 1)``: there the range of all draws is taken and its own nominal coverage is
    returned. A level of 0.9 needs 19 draws.

    Parameters
    ----------
    level
        Wanted share, between 0 and 1.

    Raises
    ------
    ValueError
        When `level` is not a share.
    """
    observed, nominal = coverage_by_patient(truth, draws, [level])
    return Coverage(float(observed.mean()), float(nominal[0]))


def mean_over_sets(
    measure: Callable[[Array, Array], float], truth: Array, sets: Sequence[Array]
) -> float:
    """Mean of a measure over sets of independent draws.

    Parameters
    ----------
    measure
        Function of the truth and of a set, such as :func:`crps`.
    truth
        Measured values, patients x dimensions.
    sets
        Result of :func:`independent_sets`.
    """
    return float(np.mean([measure(truth, draws) for draws in sets]))


def coverage_over_sets(truth: Array, sets: Sequence[Array], level: float) -> Coverage:
    """Mean of :func:`central_coverage` over sets of independent draws; the sets are equal in size."""
    coverages = [central_coverage(truth, draws, level) for draws in sets]
    observed = float(np.mean([coverage.observed for coverage in coverages]))
    return Coverage(observed, coverages[0].nominal)


def coverage_by_patient(
    truth: Array, draws: Array, levels: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of a patient's entries inside central intervals, as in :func:`central_coverage`.

    Parameters
    ----------
    levels
        Wanted shares, between 0 and 1.

    Returns
    -------
    observed
        Share of the patient's dimensions inside their interval, patients x levels.
    nominal
        Share expected where truth and draws are exchangeable, one a level.

    Raises
    ------
    ValueError
        When a level is not a share.
    """
    check_draws(truth, draws)
    n_draws = len(draws)
    trims = np.arange(n_draws // 2, 0, -1)
    reached = 1 - 2 * trims / (n_draws + 1)
    ordered = np.sort(draws, axis=0)

    def inside(trim: int) -> NDArray[np.float64]:
        return np.mean((ordered[trim - 1] <= truth) & (truth <= ordered[-trim]), axis=1)

    observed, nominal = [], []
    for level in levels:
        if not 0 < level < 1:
            raise ValueError(f"level must lie between 0 and 1, got {level}.")
        above = int(np.searchsorted(reached, level))
        if above == len(reached):
            observed.append(inside(1))
        elif above == 0:
            # Narrower than the innermost interval: between it and the empty one.
            observed.append(inside(trims[0]) * level / reached[0])
        else:
            weight = (level - reached[above - 1]) / (reached[above] - reached[above - 1])
            inner, outer = inside(trims[above - 1]), inside(trims[above])
            observed.append(inner + weight * (outer - inner))
        nominal.append(min(level, reached[-1]))
    return np.stack(observed, axis=1), np.array(nominal)


def rank_shares(truth: Array, draws: Array) -> NDArray[np.float64]:
    """How often the truth has each rank among the draws: the rows of a rank histogram.

    Where truth and draws are exchangeable all ranks are equally frequent. A U shape over the ranks
    means too little spread, a hump too much, a slope a bias (the probability integral transform of
    draws) [4]_.

    Returns
    -------
    ndarray
        Share of the patient's dimensions in which 0, 1, ..., K of the K draws lie below the truth,
        patients x (K + 1).
    """
    check_draws(truth, draws)
    ranks = np.sum(draws < truth, axis=0)
    return np.stack([np.mean(ranks == rank, axis=1) for rank in range(len(draws) + 1)], axis=1)


def spread_and_error(truth: Array, draws: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spread of the draws and error of their mean for each patient, as squares.

    Returns
    -------
    spread
        ``(K + 1) / K`` times the variance over draws, mean over dimensions, one a patient.
    error
        Squared error of the mean draw, mean over dimensions, one a patient. Its expectation is
        `spread` where truth and draws are exchangeable.
    """
    check_draws(truth, draws)
    n_draws = len(draws)
    spread = (n_draws + 1) / n_draws * draws.var(axis=0, ddof=1, dtype=float).mean(axis=1)
    error = np.mean((truth - draws.mean(axis=0, dtype=float)) ** 2, axis=1)
    return spread, error


def spread_skill(truth: Array, draws: Array) -> float:
    """Spread of the draws over the error of their mean; 1 where they match.

    ``sqrt((K + 1) / K * mean variance over draws / mean squared error of the mean draw)`` [3]_.
    Below one the draws are too sure of themselves, above one too unsure.

    Raises
    ------
    ValueError
        When the mean draw is exact.
    """
    spread, error = spread_and_error(truth, draws)
    if not error.any():
        raise ValueError("The mean draw equals the truth everywhere: no error to compare with.")
    return float(np.sqrt(spread.mean() / error.mean()))
