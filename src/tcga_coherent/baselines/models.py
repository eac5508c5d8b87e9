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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.baselines.baseline import BaselineParameters, Examples, Regressor
from tcga_coherent.baselines.registry import BASELINES
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
    noise_sd
        Root mean squared error of each dimension on the validation patients.
    """

    target: str
    sources: tuple[str, ...]
    regressor: Regressor
    noise_sd: Array

    def predict(self, latents: Mapping[str, pd.DataFrame], patients: pd.Index) -> Array:
        """Predict the target's latents, patients x dimensions."""
        return self.regressor.predict(source_features(latents, self.sources, patients))


def fit_baseline(
    method: str,
    target: str,
    sources: Sequence[str],
    latents: Mapping[str, pd.DataFrame],
    train: pd.Index,
    val: pd.Index,
    parameters: BaselineParameters,
) -> FittedBaseline:
    """Fit a baseline on the training patients and its noise on the validation patients.

    Parameters
    ----------
    method
        Name of a baseline.
    target, sources
        Modality to predict and modalities to predict it from.
    latents
        Modality to frame, patients x dimensions, standardised on the training split.
    train, val
        Patients of the two splits; those without the target or without any source are left out.
    parameters
        Candidates for the settings.

    Raises
    ------
    ValueError
        When the method is unknown, or a split has no patient with the target and a source.
    """
    if method not in BASELINES:
        raise ValueError(f"No baseline {method!r}; there are {', '.join(BASELINES)}.")
    examples = Examples(
        *_paired(target, sources, latents, train, "training"),
        *_paired(target, sources, latents, val, "validation"),
    )
    regressor = BASELINES[method].fit(examples, parameters)
    error = examples.val_y - regressor.predict(examples.val_x)
    return FittedBaseline(target, tuple(sources), regressor, np.sqrt(np.mean(error**2, axis=0)))


def source_features(
    latents: Mapping[str, pd.DataFrame], sources: Sequence[str], patients: pd.Index
) -> Array:
    """Put the latents of the sources side by side, with zeros and a mask bit where one is absent.

    Returns
    -------
    ndarray
        patients x (dimensions of all sources + number of sources); the mask of a source with d
        dimensions is sqrt(d) where it is absent, else 0.
    """
    blocks, mask = [], []
    for name in sources:
        frame = latents[name]
        blocks.append(frame.reindex(patients, fill_value=0).to_numpy(float))
        # Unrelated standardised patients differ by 2 d (squared), zeros and a patient by d only.
        mask.append(np.sqrt(frame.shape[1]) * ~patients.isin(frame.index))
    return np.hstack([*blocks, np.column_stack(mask)])


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


def _paired(
    target: str,
    sources: Sequence[str],
    latents: Mapping[str, pd.DataFrame],
    patients: pd.Index,
    split: str,
) -> tuple[Array, Array]:
    any_source = np.logical_or.reduce([patients.isin(latents[name].index) for name in sources])
    usable = patients[patients.isin(latents[target].index) & any_source]
    if usable.empty:
        raise ValueError(
            f"No {split} patient has {target} together with any of {join_sources(sources)}: the "
            f"baselines for it cannot be fitted."
        )
    return source_features(latents, sources, usable), latents[target].loc[usable].to_numpy(float)
