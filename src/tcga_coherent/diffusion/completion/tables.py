"""From generated latents to the tables of a completion: draws, means, spreads, values and flags."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tcga_coherent.diffusion.completion.generation import Generated

# Patients whose draws are decoded at once; bounds memory.
PATIENTS_PER_CHUNK = 64

# Coherence is missing where nothing was generated.
FLAG_COLUMNS = [
    "patient_id",
    "modality",
    "status",
    "sources",
    "coherence",
    "disagreement",
    "n_draws",
    "n_redrawn",
    "n_rejected",
    "accepted",
    "reason",
]


def join_latents(
    observed: pd.DataFrame, draws: pd.DataFrame, patients: pd.Index, n_draws: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Join observed and generated latents to the draws of everybody, their mean and their spread."""
    repeated = observed.loc[observed.index.repeat(n_draws)]
    repeated.index = pd.MultiIndex.from_product(
        [observed.index, range(n_draws)], names=["patient_id", "draw"]
    )
    everyone = pd.concat([repeated, draws]).sort_index()
    by_patient = draws.groupby(level="patient_id")
    mean = pd.concat([observed, by_patient.mean()]).loc[patients]
    sd = pd.concat([observed.abs() * 0.0, by_patient.std()]).loc[patients]
    return everyone, mean, sd


def decode_draws(
    observed: pd.DataFrame,
    draws: pd.DataFrame,
    decode: Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]],
    patients: pd.Index,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decode draw by draw: the mean of the decoded draws is not the decoded mean.

    Parameters
    ----------
    observed
        Measured values, patients x features in input units; missing cells stay missing.
    draws
        Generated latents, index (``patient_id``, ``draw``).
    decode
        Latents to features in input units, with what the latents lose of each feature once added and once
        taken away: its standard deviation, before units are put back.
    patients
        All patients, in the order of the result.

    Returns
    -------
    mean, sd : pandas.DataFrame
        Patients x features; the spread of measured values is 0. That of generated ones is between the draws,
        and what the latents lose.
    """
    values = np.full((2, len(patients), observed.shape[1]), np.nan, dtype=np.float32)
    rows = patients.get_indexer(observed.index)
    values[0, rows] = observed.to_numpy(np.float32)
    values[1, rows] = np.where(np.isnan(values[0, rows]), np.nan, 0.0)
    lacking = draws.index.unique("patient_id")
    n_draws = len(draws) // max(1, len(lacking))
    for start in range(0, len(lacking), PATIENTS_PER_CHUNK):
        chunk = draws.iloc[start * n_draws : (start + PATIENTS_PER_CHUNK) * n_draws]
        above, below = (
            features.to_numpy(np.float32).reshape(-1, n_draws, observed.shape[1])
            for features in decode(chunk)
        )
        rows = patients.get_indexer(lacking[start : start + PATIENTS_PER_CHUNK])
        decoded, lost = (above + below) / 2, (above - below) / 2
        values[0, rows] = decoded.mean(axis=1)
        values[1, rows] = np.sqrt(decoded.var(axis=1, ddof=1) + np.square(lost).mean(axis=1))
    mean, sd = (pd.DataFrame(part, index=patients, columns=observed.columns) for part in values)
    return mean, sd


def flag_patients(
    modality: str,
    observed: pd.Index,
    measured: pd.Index,
    generated: Generated,
    patients: pd.Index,
) -> pd.DataFrame:
    """Describe a modality of every patient; draws that failed and outliers carry their reason."""
    pass_through = pd.DataFrame(
        {
            "patient_id": observed,
            "modality": modality,
            "status": "observed",
            "sources": "",
            "n_draws": 0,
            "n_redrawn": 0,
            "n_rejected": 0,
            "accepted": True,
            "reason": "",
        }
    )
    made = generated.flags
    if len(made):
        outlier = made["patient_id"].isin(measured)
        removed = "measured, but removed as an outlier; " + made["reason"]
        made = made.assign(reason=made["reason"].mask(outlier, removed.str.removesuffix("; ")))
    unusable = measured.difference(patients)
    impossible = pd.DataFrame(
        {
            "patient_id": unusable,
            "modality": modality,
            "status": "impossible",
            "sources": "",
            "n_draws": 0,
            "n_redrawn": 0,
            "n_rejected": 0,
            "accepted": False,
            "reason": "every measured modality was removed as an outlier: no source is left",
        }
    )
    parts = [part for part in (pass_through, made, impossible) if len(part)]
    return pd.concat(parts, ignore_index=True).sort_values("patient_id")
