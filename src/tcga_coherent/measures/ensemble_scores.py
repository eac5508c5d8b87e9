"""Scores that the studies of the ensemble share: kept by patient, summarised over patients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.measures.bootstrap import BootstrapParameters, Counts, resample_patients
from tcga_coherent.measures.calibration import crps, independent_sets, mean_over_sets
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import Score

PARTS = ("squared_error", "truth_sum", "truth_squares", "n_features", "crps")


def unscored(n_patients: int) -> dict[str, Array]:
    """Return the parts of :func:`score_prediction` where there is nothing to compare: NaN."""
    return {name: np.full(n_patients, np.nan) for name in PARTS}


def score_prediction(truth: Array, prediction: Array) -> dict[str, Array]:
    """Return what R2 is made of, one value a patient.

    Parameters
    ----------
    truth, prediction
        Measured and predicted values, patients x features.

    Returns
    -------
    dict
        ``squared_error`` over the features; ``truth_sum``, ``truth_squares`` and ``n_features``,
        from which the spread of any sample of patients follows; ``crps``, NaN.
    """
    return unscored(len(truth)) | {
        "squared_error": np.sum((truth - prediction) ** 2, axis=1, dtype=float),
        "truth_sum": truth.sum(axis=1, dtype=float),
        "truth_squares": np.sum(truth**2, axis=1, dtype=float),
        "n_features": np.full(len(truth), truth.shape[1], dtype=float),
    }


def score_draws(truth: Array, draws: Array, antithetic: bool) -> dict[str, Array]:
    """Return the parts of :func:`score_prediction` for the mean of the draws, and their CRPS.

    Parameters
    ----------
    truth
        Measured values, patients x features.
    draws
        Generated values, draws x patients x features.
    antithetic
        Whether the draws were made in pairs; CRPS is then the mean over the halves.
    """
    sets = independent_sets(draws, antithetic)
    by_patient = [
        mean_over_sets(crps, truth[[i]], [one[:, [i]] for one in sets]) for i in range(len(truth))
    ]
    return score_prediction(truth, draws.mean(axis=0)) | {"crps": np.array(by_patient)}


def summarise_scores(
    scores: pd.DataFrame,
    keys: Sequence[str],
    bootstrap: BootstrapParameters,
    seed: int,
    reference: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Summarise scores over repeats and patients.

    Parameters
    ----------
    scores
        A row a key, ``repeat`` and ``patient_id`` with the results of :func:`score_draws`; the
        patients are the same for all.
    keys
        Columns that tell rows of the result apart.
    bootstrap, seed
        Intervals over the patients. All rows see the same samples of patients.
    reference
        Some of the keys and the values that the others are compared with; those rows have a gain
        of zero.

    Returns
    -------
    pandas.DataFrame
        The keys; of ``r2_of_mean`` and ``crps`` the ``_mean`` and ``_std`` over the repeats (seeds
        of the noise) and ``_low`` and ``_high``, the interval over patients; the same ends of
        ``r2_of_mean_gain`` and ``crps_gain``, the difference to the reference; ``n_patients``.
    """
    groups = {
        key: _scores(_by_patient(rows), bootstrap, seed)
        for key, rows in scores.groupby(list(keys), sort=False)
    }
    sizes = {
        key: rows["patient_id"].nunique() for key, rows in scores.groupby(list(keys), sort=False)
    }
    rows = []
    for key, own in groups.items():
        row: dict[str, Any] = dict(zip(keys, key, strict=True))
        for name, score in own.items():
            row |= score.columns(name, bootstrap.level)
        if reference is not None:
            other = groups[tuple((row | dict(reference))[name] for name in keys)]
            for name, score in own.items():
                gain = score - other[name]
                low, high = gain.interval(bootstrap.level)
                row |= {
                    f"{name}_gain": gain.mean,
                    f"{name}_gain_low": low,
                    f"{name}_gain_high": high,
                }
        rows.append({**row, "n_patients": sizes[key]})
    return pd.DataFrame(rows)


def _by_patient(rows: pd.DataFrame) -> dict[str, Array]:
    """Return each score as patients x repeats; what holds for all repeats as one column."""
    repeats = [part.sort_values("patient_id") for _, part in rows.groupby("repeat")]
    changing = {
        name: np.stack([part[name].to_numpy(float) for part in repeats], axis=1)
        for name in ("squared_error", "crps")
    }
    names = ("truth_sum", "truth_squares", "n_features")
    return changing | {name: repeats[0][[name]].to_numpy(float) for name in names}


def _scores(
    group: Mapping[str, Array], bootstrap: BootstrapParameters, seed: int
) -> dict[str, Score]:
    """Return the scores over the repeats and over samples of the patients."""
    n_patients = len(group["truth_sum"])
    of_all = _measures(group, np.ones((1, n_patients), dtype=np.int64))
    of_samples = _measures(group, resample_patients(n_patients, bootstrap.repeats, seed))
    # The samples of a single patient are all alike.
    known = 1.0 if n_patients > 1 else np.nan
    return {
        name: Score(values[0], known * of_samples[name].mean(axis=1))
        for name, values in of_all.items()
    }


def _measures(group: Mapping[str, Array], counts: Counts) -> dict[str, Array]:
    """Return the measures of samples of patients, each samples x repeats."""
    n_entries = counts @ group["n_features"]
    total = counts @ group["truth_squares"] - (counts @ group["truth_sum"]) ** 2 / n_entries
    return {
        "r2_of_mean": 1 - counts @ group["squared_error"] / total,
        "crps": counts @ group["crps"] / counts.sum(axis=1, keepdims=True),
    }
