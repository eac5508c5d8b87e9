"""Spread of the draws, put right on validation.

Draws of trained ensembles tend to be too wide in the middle of the distribution. One factor for
each target, method and set of sources draws a patient's draws towards their mean, or apart: the
one with the least CRPS on validation. The mean stays what it is. This is the member-by-member
recalibration of weather ensembles (Van Schaeybroeck and Vannitsem, 2015).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.source_sets import partition_name, split_sources

LEAST_SPREAD, MOST_SPREAD = 0.1, 5.0

# What may change without another fit: how many draws, where and with which noise.
FREE_SETTINGS = (
    "n_draws",
    "antithetic",
    "recalibrate",
    "temperature",
    "chunk_rows",
    "allow_unconditional",
    "seed",
)


@dataclass(frozen=True)
class Recalibration:
    """Fitted factors, and what they belong to.

    Attributes
    ----------
    spreads
        ``<target>/<method>/<source+source>`` to factor; methods are single, coherent and multi.
    settings
        Sampling settings they were fitted with.
    denoisers
        Denoiser to the validation MSE it had.
    """

    spreads: Mapping[str, float]
    settings: Mapping[str, Any]
    denoisers: Mapping[str, float]

    def spread(self, target: str, method: str, sources: Sequence[str]) -> float:
        """Return the factor of one way to generate a target, that of :meth:`fitted_sources`.

        Raises
        ------
        ValueError
            When none was fitted for the target and method.
        """
        fitted = self.fitted_sources(target, method, sources)
        return self.spreads[partition_name(target, method, fitted)]

    def fitted_sources(self, target: str, method: str, sources: Sequence[str]) -> tuple[str, ...]:
        """Return the set of sources whose factor serves: the same, or the one that differs least.

        With ``source_sets: cohort`` a new patient may have what nobody in the cohort has. Of sets that differ
        in as many sources, one with more of them is taken.

        Raises
        ------
        ValueError
            When none was fitted for the target and method.
        """
        if partition_name(target, method, sources) in self.spreads:
            return tuple(sources)
        known = [
            split_sources(joined)
            for key in self.spreads
            for of, by, joined in [key.split("/")]
            if of == target and by == method
        ]
        if not known:
            raise ValueError(
                f"No recalibration was fitted for {partition_name(target, method, sources)}. Run the "
                f"coherent_sampling pipeline, or set coherent_sampling.recalibrate to false."
            )
        return min(known, key=lambda other: (len(set(other) ^ set(sources)), -len(other)))

    def check(self, config: SamplingConfig, denoisers: Mapping[str, float]) -> None:
        """Refuse factors that belong to other settings or denoisers.

        Parameters
        ----------
        config
            Settings at hand.
        denoisers
            Denoiser at hand to its validation MSE.

        Raises
        ------
        ValueError
            When they differ; the message names how.
        """
        present = fitted_settings(config)
        differing = [
            f"{key} was {self.settings.get(key)} and is {value}"
            for key, value in present.items()
            if self.settings.get(key) != value
        ]
        differing += [
            f"denoiser {name} was trained again"
            for name, mse in denoisers.items()
            if self.denoisers.get(name) != mse
        ]
        if differing:
            raise ValueError(
                f"The recalibration of the draws does not fit: {', '.join(differing)}. Run the "
                f"coherent_sampling pipeline, or set coherent_sampling.recalibrate to false."
            )


def fitted_settings(config: SamplingConfig) -> dict[str, Any]:
    """Return the sampling settings on which the spread of draws depends."""
    return {key: value for key, value in asdict(config).items() if key not in FREE_SETTINGS}


def fit_spread(truth: np.ndarray, draws: np.ndarray) -> float:
    """Return the factor of the spread with the least CRPS.

    Parameters
    ----------
    truth
        Measured latents, shape (patients, features).
    draws
        Antithetic, shape (draws, patients, features), at least four: k and k + draws / 2 are a
        pair. Around the mean of independent draws the factor would come out too large.

    Returns
    -------
    float
        Between 0.1 and 5. CRPS is convex in the factor, so the minimum is the only one.
    """
    mean = draws.mean(axis=0)
    deviations = draws - mean
    error = truth - mean
    between = float(np.mean([_half_mean_difference(half) for half in np.split(draws, 2)]))

    def crps(spread: float) -> float:
        return float(np.abs(spread * deviations - error).mean()) - spread * between

    return float(minimize_scalar(crps, bounds=(LEAST_SPREAD, MOST_SPREAD), method="bounded").x)


def _half_mean_difference(draws: np.ndarray) -> float:
    """Half the mean absolute difference between two independent draws."""
    n_draws = len(draws)
    ranks = 2 * np.arange(1, n_draws + 1) - n_draws - 1
    pairs = np.tensordot(ranks, np.sort(draws, axis=0).astype(float), axes=1)
    return float(pairs.mean() / (n_draws * (n_draws - 1)))
