"""Fitting what a generative model has to beat.

Each predicts a target's latents from any set of sources and learns from the training patients who
have the target and at least one of the sources. An absent source is filled with zeros, the training
mean of standardised latents, and flagged by a mask bit. The bit is scaled so that an absent source
is as far from a present one as two unrelated patients are from each other: with a small bit the
zeros would make incomplete patients everybody's nearest neighbours.

All are probabilistic predictors, so that the same scores apply to them as to generated draws: the
prediction plus independent Gaussian noise whose standard deviation per dimension is the root mean
squared error on the validation patients.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.baselines.baseline import BaselineParameters, Examples, Reads, Regressor
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import Cohort
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import join_sources


@dataclass(frozen=True)
class FittedBaseline:
    """A fitted baseline.

    Attributes
    ----------
    target
        Modality it predicts.
    sources
        Modalities it predicts from.
    regressor
        Point predictor of the latents of `target` from :func:`source_features`.
    reads
        As in :class:`tcga_coherent.baselines.baseline.Baseline`.
    noise_sd
        Root mean squared error of each dimension on the validation patients.
    """

    target: str
    sources: tuple[str, ...]
    regressor: Regressor
    reads: Reads
    noise_sd: Array

    def predict(self, cohort: Cohort, patients: pd.Index) -> Array:
        """Predict the target's latents, patients x dimensions."""
        return self.regressor.predict(source_features(cohort, self.reads, self.sources, patients))


def fit_baseline(
    method: str,
    target: str,
    sources: Sequence[str],
    cohort: Cohort,
    parameters: BaselineParameters,
) -> FittedBaseline:
    """Fit a baseline on the training patients and its noise on the validation patients.

    Parameters
    ----------
    method
        Name of a baseline.
    target, sources
        Modality to predict and modalities to predict it from.
    cohort
        Latents, codes and splits; patients without the target or without any source are left out.
    parameters
        Candidates for the settings.

    Raises
    ------
    ValueError
        When the method is unknown, or a split has no patient with the target and a source.
    """
    if method not in BASELINES:
        raise ValueError(f"No baseline {method!r}; there are {', '.join(BASELINES)}.")
    baseline = BASELINES[method]

    def examples_of(patients: pd.Index, split: str) -> tuple[Array, Array]:
        any_source = np.logical_or.reduce(
            [patients.isin(cohort.latents[name].index) for name in sources]
        )
        usable = patients[patients.isin(cohort.latents[target].index) & any_source]
        if usable.empty:
            raise ValueError(
                f"No {split} patient has {target} together with any of {join_sources(sources)}: the "
                f"baselines for it cannot be fitted."
            )
        features = source_features(cohort, baseline.reads, sources, usable)
        return features, cohort.truth(target, usable)

    examples = Examples(
        *examples_of(cohort.train, "training"), *examples_of(cohort.val, "validation")
    )
    regressor = baseline.fit(examples, parameters)
    error = examples.val_y - regressor.predict(examples.val_x)
    noise_sd = np.sqrt(np.mean(error**2, axis=0))
    return FittedBaseline(target, tuple(sources), regressor, baseline.reads, noise_sd)


def source_features(
    cohort: Cohort, reads: Reads, sources: Sequence[str], patients: pd.Index
) -> Array:
    """Put what is known of the sources side by side, with zeros and a mask where one is absent.

    Codes are scaled to a total variance of one a source: a penalty then asks as much of a source with many
    features as of one with few.

    Returns
    -------
    ndarray
        patients x (dimensions of all sources + number of sources); the mask of a source is the root of its
        total variance where it is absent, else 0: that of standardised latents is their number.
    """
    blocks, masks = [], []
    for name in sources:
        if reads == "latents":
            frame = cohort.latents[name]
            norm, variance = 1.0, float(frame.shape[1])
        else:
            frame = (cohort.codes or cohort.latents)[name]
            norm = _norm(frame.loc[cohort.train.intersection(frame.index)])
            variance = 1.0
        blocks.append((frame.reindex(patients, fill_value=0) / norm).to_numpy(float))
        # Unrelated patients differ by twice the variance (squared), zeros and a patient by it alone.
        masks.append(np.sqrt(variance) * ~patients.isin(frame.index))
    return np.hstack([*blocks, np.column_stack(masks)])


def _norm(code: pd.DataFrame) -> float:
    """Return the root mean square of the patients' lengths."""
    return float(np.sqrt(np.square(code.to_numpy(float)).sum(axis=1).mean()))


def standard_normal_draws(patients: pd.Index, n_draws: int, n_dimensions: int, seed: int) -> Array:
    """Draw standard normal noise that depends on the patient, not on who else is there.

    Returns
    -------
    ndarray
        draws x patients x dimensions.
    """
    noise = [
        np.random.default_rng([seed, zlib.crc32(str(patient).encode())]).standard_normal(
            (n_draws, n_dimensions)
        )
        for patient in patients
    ]
    return np.stack(noise, axis=1)
