"""Scores that the studies of the ensemble share: kept by patient, summarised over patients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.measures.bootstrap import BootstrapParameters, Counts, patient_interval
from tcga_coherent.measures.calibration import crps, independent_sets, mean_over_sets
from tcga_coherent.measures.fidelity import Array

MEASURES = ("r2_of_mean", "crps")
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
    groups = {key: _by_patient(rows) for key, rows in scores.groupby(list(keys), sort=False)}
    rows = []
    for key, group in groups.items():
        n_patients = len(group["truth_sum"])
        everyone = np.ones((1, n_patients), dtype=np.int64)
        row: dict[str, Any] = dict(zip(keys, key, strict=True))
        low, high = patient_interval(_mean_of(group), n_patients, bootstrap, seed)
        for number, (name, values) in enumerate(_measures(group, everyone).items()):
            row |= {
                f"{name}_mean": values.mean(),
                f"{name}_std": values.std(ddof=1) if values.size > 1 else np.nan,
                f"{name}_low": low[number],
                f"{name}_high": high[number],
            }
        if reference is not None:
            other = groups[tuple((row | dict(reference))[name] for name in keys)]
            gain = _difference(group, other)
            low, high = patient_interval(gain, n_patients, bootstrap, seed)
            for number, name in enumerate(MEASURES):
                row |= {
                    f"{name}_gain": gain(everyone)[0, number],
                    f"{name}_gain_low": low[number],
                    f"{name}_gain_high": high[number],
                }
        rows.append({**row, "n_patients": n_patients})
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


def _measures(group: Mapping[str, Array], counts: Counts) -> dict[str, Array]:
    """Return the measures of samples of patients, each samples x repeats."""
    n_entries = counts @ group["n_features"]
    total = counts @ group["truth_squares"] - (counts @ group["truth_sum"]) ** 2 / n_entries
    return {
        "r2_of_mean": 1 - counts @ group["squared_error"] / total,
        "crps": counts @ group["crps"] / counts.sum(axis=1, keepdims=True),
    }


def _mean_of(group: Mapping[str, Array]) -> Any:
    """Return the statistic of :func:`patient_interval` for the means over the repeats."""
    return lambda counts: np.stack(
        [values.mean(axis=1) for values in _measures(group, counts).values()], axis=1
    )


def _difference(group: Mapping[str, Array], other: Mapping[str, Array]) -> Any:
    one, two = _mean_of(group), _mean_of(other)
    return lambda counts: one(counts) - two(counts)
