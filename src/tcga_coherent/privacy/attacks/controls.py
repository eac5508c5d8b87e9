"""Records that know members no better than non-members, to hold generated ones against.

Latents of held-out patients are distributed otherwise than those of patients whom encoders learned
from, so that attacks find something where nothing is remembered. A normal distribution fitted to both
groups together remembers neither more than the other, and shows how much.
"""

from collections.abc import Mapping

import numpy as np
from sklearn.covariance import LedoitWolf

from tcga_coherent.measures.fidelity import Array

GAUSSIAN, VALIDATION = "gaussian_control", "validation_control"


def draw_gaussian(measured: Mapping[str, Array], n_rows: int, seed: int) -> dict[str, Array]:
    """Draw whole patients from a normal distribution.

    Parameters
    ----------
    measured
        Modality to latents of all patients of both groups, patients x dimensions. Mean and covariance
        (shrunken; Ledoit and Wolf, 2004) are those of all modalities side by side.
    n_rows
        Number of patients to draw.
    seed
        Seed of the draws.

    Returns
    -------
    dict
        Modality to rows x dimensions.
    """
    fitted = LedoitWolf().fit(np.hstack(list(measured.values())))
    random = np.random.default_rng(seed)
    rows = random.multivariate_normal(
        fitted.location_, fitted.covariance_, size=n_rows, method="cholesky"
    )
    return {name: rows[:, place] for name, place in _places(measured).items()}


def regenerate_by_gaussian(
    measured: Mapping[str, Array], n_draws: int, seed: int
) -> dict[str, Array]:
    """Draw each modality of each patient given the others of the patient.

    Parameters
    ----------
    measured, seed
        As in :func:`draw_gaussian`.
    n_draws
        Draws of each patient.

    Returns
    -------
    dict
        Modality to draws x patients x dimensions, each conditioned on all other modalities.
    """
    values = np.hstack(list(measured.values()))
    fitted = LedoitWolf().fit(values)
    covariance, centred = fitted.covariance_, values - fitted.location_
    random = np.random.default_rng(seed)
    drawn = {}
    for name, place in _places(measured).items():
        target = np.zeros(values.shape[1], dtype=bool)
        target[place] = True
        between = covariance[np.ix_(~target, target)]
        slopes = np.linalg.solve(covariance[np.ix_(~target, ~target)], between)
        spread = np.linalg.cholesky(covariance[np.ix_(target, target)] - between.T @ slopes)
        noise = random.standard_normal((n_draws, len(values), len(spread)))
        drawn[name] = fitted.location_[target] + centred[:, ~target] @ slopes + noise @ spread.T
    return drawn


def _places(measured: Mapping[str, Array]) -> dict[str, slice]:
    ends = np.cumsum([values.shape[1] for values in measured.values()])
    return {
        name: slice(int(end) - values.shape[1], int(end))
        for (name, values), end in zip(measured.items(), ends, strict=True)
    }
