"""How uncertain a number is because the patients it is computed from are a sample.

Entries of one patient depend on each other, so whole patients are drawn with replacement.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass
from scipy.stats import rankdata

from tcga_coherent.modality import STRICT

Counts = NDArray[np.int64]


@dataclass(frozen=True, config=STRICT)
class BootstrapParameters:
    """How uncertain a score is because the test patients are a sample.

    Attributes
    ----------
    repeats
        Number of times the patients are drawn with replacement.
    level
        Share of the repeats that the interval holds.
    """

    repeats: Annotated[int, Field(ge=2)]
    level: Annotated[float, Field(gt=0, lt=1)]


def patient_interval(
    statistic: Callable[[Counts], NDArray[np.float64]],
    n_patients: int,
    parameters: BootstrapParameters,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Central interval of statistics over bootstrap samples of the patients.

    Parameters
    ----------
    statistic
        From how often each patient is drawn in each bootstrap sample (repeats x patients) to the
        statistics of each sample, repeats first; NaN where one is not defined.
    n_patients
        Number of patients.
    parameters
        Number of samples, and the share of them that the interval holds.
    seed
        Seed of the samples.

    Returns
    -------
    low, high
        Ends of the interval, of the shape of the statistics of one sample. NaN for a single
        patient, whose samples are all alike, and where a statistic is never defined. Of fewer than
        about ten patients the interval is too narrow.
    """
    counts = resample_patients(n_patients, parameters.repeats, seed)
    resampled = np.asarray(statistic(counts), dtype=float)
    if n_patients == 1:
        resampled = np.full_like(resampled, np.nan)
    return central_interval(resampled, parameters.level)


def central_interval(resampled: NDArray[np.floating], level: float) -> tuple[Any, Any]:
    """Quantiles that hold a share of the samples in the middle.

    Parameters
    ----------
    resampled
        Statistics of each bootstrap sample, samples first; samples in which one is not finite are
        left out of its interval.
    level
        Share of the samples that the interval holds.

    Returns
    -------
    low, high
        Ends of the interval, of the shape of the statistics of one sample: numbers where that is a
        single one. NaN where a statistic is never finite.
    """
    finite = np.isfinite(resampled)
    defined = finite.any(axis=0)
    bounds = np.full((2, *resampled.shape[1:]), np.nan)
    values = np.where(finite, resampled, np.nan)[:, defined]
    bounds[:, defined] = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return bounds[0], bounds[1]


def resample_patients(n_patients: int, repeats: int, seed: int) -> Counts:
    """How often each patient is drawn in each bootstrap sample.

    Returns
    -------
    ndarray
        Counts, repeats x patients; each row sums to `n_patients`.
    """
    shares = np.full(n_patients, 1 / n_patients)
    return np.random.default_rng(seed).multinomial(n_patients, shares, size=repeats)


def spearman(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Spearman's rank correlation along the last axis, NaN where `x` or `y` is constant."""
    a, b = (rankdata(values, axis=-1) for values in (x, y))
    a, b = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (a, b))
    norm = np.sqrt(np.sum(a**2, axis=-1) * np.sum(b**2, axis=-1))
    product = np.sum(a * b, axis=-1)
    return np.divide(product, norm, out=np.full_like(norm, np.nan), where=norm > 0)


def resampled_spearman(
    x: NDArray[np.floating], y: NDArray[np.floating], counts: Counts
) -> NDArray[np.float64]:
    """Spearman's rank correlation of one value a patient in each bootstrap sample.

    Parameters
    ----------
    x, y
        One value a patient.
    counts
        How often each patient is drawn, samples x patients.
    """
    repeats, n_patients = counts.shape
    everyone = np.tile(np.arange(n_patients), repeats)
    drawn = np.repeat(everyone, counts.ravel()).reshape(repeats, n_patients)
    return spearman(x[drawn], y[drawn])
