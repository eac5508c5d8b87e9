"""Reconstruction in the space of genes, proteins, copy numbers and slide features.

Latents are decoded to the features they were made from. The encoder itself loses much of them, so
every method is held against ``ceiling``: the measured latents, decoded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.feature_correlation import feature_correlations, resampled_correlations
from tcga_coherent.measures.fidelity import Array, r2
from tcga_coherent.source_sets import generative_methods, join_sources
from tcga_coherent.studies.reconstruction.table import r2_interval

CEILING = "ceiling"
STANDARDISED, INPUT = "standardised", "input"
SCORES = (
    *("r2", "r2_low", "r2_high", "feature_r2_median"),
    *("correlation_q25", "correlation_median", "correlation_q75", "share_above_half"),
    *("correlation_median_low", "correlation_median_high"),
    *("share_above_half_low", "share_above_half_high"),
    *("coverage_50", "coverage_90"),
)


@dataclass(frozen=True)
class Decoder:
    """From latents of a modality to its features.

    Attributes
    ----------
    to_features
        Patients x latent dimensions to patients x features, standardised.
    to_input_units
        Patients x features, standardised, to the units that the user's table had.
    residual_sd
        What the latents lose of each feature, standardised.
    """

    to_features: Callable[[pd.DataFrame], pd.DataFrame]
    to_input_units: Callable[[pd.DataFrame], pd.DataFrame]
    residual_sd: Array


@dataclass(frozen=True)
class DecodedTarget:
    """A modality of the test patients, measured and decoded.

    Attributes
    ----------
    target
        Modality.
    source
        Modalities it is generated from: all others, joined by ``+``.
    truth
        Unit to patients x features. Values that were missing are as preprocessing imputed them.
    predictions
        Unit to method to patients x features; ``ceiling`` first.
    draws
        Generator to mean and standard deviation of what its draws stand for, each patients x features,
        standardised.
    """

    target: str
    source: str
    truth: Mapping[str, pd.DataFrame]
    predictions: Mapping[str, Mapping[str, pd.DataFrame]]
    draws: Mapping[str, tuple[Array, Array]]


def decode_target(
    target: str, held_out: HeldOut, processed: pd.DataFrame, decoder: Decoder
) -> DecodedTarget:
    """Decode the reconstruction of a modality from all others.

    Of draws the mean is decoded. The mean of decoded draws would be another, slightly smoother one.

    Parameters
    ----------
    target
        Modality.
    held_out
        Draws and predictions of the test patients.
    processed
        Features of the target, patients x features, standardised.
    decoder
        Of the target.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort, or features and encoder are of
        different runs.
    """
    cohort, sources = held_out.cohort, held_out.others(target)
    columns = list(cohort.latents[target].columns)
    patients = cohort.tested(target, *sources)
    latents = {CEILING: cohort.truth(target, patients)}
    moments = {}
    for method in generative_methods(sources):
        draws = held_out.draws(target, method, sources, patients)
        latents[method] = draws.mean(axis=0)
        moments[method] = decoded_moments(draws, columns, decoder)
    for method in BASELINES:
        latents[method] = held_out.prediction(target, method, sources, patients).mean
    decoded = {
        method: decoder.to_features(
            pd.DataFrame(values, index=patients, columns=columns).astype(np.float32)
        )
        for method, values in latents.items()
    }
    truth = _measured(processed, target, patients, decoded[CEILING].columns)
    return DecodedTarget(
        target,
        join_sources(sources),
        {STANDARDISED: truth, INPUT: decoder.to_input_units(truth)},
        {
            STANDARDISED: decoded,
            INPUT: {method: decoder.to_input_units(own) for method, own in decoded.items()},
        },
        moments,
    )


def decoded_moments(draws: Array, columns: Sequence[str], decoder: Decoder) -> tuple[Array, Array]:
    """Return mean and standard deviation of the features that draws stand for.

    The spread is between the draws, and what the latents lose of each feature.

    Parameters
    ----------
    draws
        Draws x patients x latent dimensions.
    columns
        Names of the dimensions.
    decoder
        Of the modality.

    Returns
    -------
    mean, sd
        Patients x features, standardised.
    """
    means, sds = [], []
    for patient in draws.swapaxes(0, 1):
        rows = decoder.to_features(
            pd.DataFrame(np.asarray(patient, np.float32), None, list(columns))
        )
        means.append(rows.to_numpy().mean(axis=0))
        sds.append(np.sqrt(rows.to_numpy().var(axis=0, ddof=1) + decoder.residual_sd**2))
    return np.stack(means), np.stack(sds)


def decoded_rows(
    decoded: DecodedTarget, bootstrap: BootstrapParameters, seed: int
) -> list[dict[str, Any]]:
    """Score the decoded reconstructions of a modality, one row a unit and method.

    Parameters
    ----------
    decoded
        Result of :func:`decode_target`.
    bootstrap
        Settings of the intervals.
    seed
        Seed of the bootstrap.

    Returns
    -------
    list of dict
        ``r2``: over all entries about their grand mean, as in Table 1. ``feature_r2_median``: median over features of
        their R2 about their own mean. ``correlation_*``: quartiles over features of the correlation
        over patients, missing where a prediction is the same for all patients;
        ``share_above_half``: share of the features with a correlation above 0.5. ``coverage_50``, ``coverage_90``:
        share of the values within the normal interval about the mean of a generator's draws. ``*_low`` and
        ``*_high`` bound bootstrap intervals over patients. These, coverages and ``r2`` are of standardised
        features only: in input units, some features are thousands of times as large as others.
    """
    rows = []
    for unit, predictions in decoded.predictions.items():
        truth = decoded.truth[unit].to_numpy(float)
        for method, frame in predictions.items():
            prediction = frame.to_numpy(float)
            scores = {
                "feature_r2_median": _median_feature_r2(truth, prediction),
                **_correlation_scores(truth, prediction),
            }
            if unit == STANDARDISED:
                counts = resample_patients(len(truth), bootstrap.repeats, seed)
                scores |= {"r2": r2(truth, prediction)}
                scores |= _intervals(truth, prediction, counts, bootstrap.level)
                scores |= _coverage(truth, decoded.draws.get(method))
            rows.append(
                {
                    "target": decoded.target,
                    "source": decoded.source,
                    "method": method,
                    "unit": unit,
                    **{name: scores.get(name, np.nan) for name in SCORES},
                    "n_patients": truth.shape[0],
                    "n_features": truth.shape[1],
                }
            )
    return rows


def decoded_lines(table: pd.DataFrame) -> list[str]:
    """Say in one line a target how much of its features is predicted.

    Parameters
    ----------
    table
        Rows of :func:`decoded_rows`.
    """
    lines = []
    standardised = table[table["unit"] == STANDARDISED]
    for target, rows in standardised.groupby("target", sort=False):
        parts = [
            f"{row['method']} {row['r2']:.3f} / {row['correlation_median']:.2f}"
            for _, row in rows.iterrows()
        ]
        lines.append(f"{target}: R2 of features / median correlation: {', '.join(parts)}")
    return lines


def _measured(
    frame: pd.DataFrame, target: str, patients: pd.Index, features: pd.Index
) -> pd.DataFrame:
    absent = patients.difference(frame.index)
    if len(absent) or not frame.columns.equals(features):
        raise ValueError(
            f"processed table of {target} has other patients or features than its encoder and latents: "
            f"run preprocessing, embedding and what follows again."
        )
    return frame.loc[patients]


def _median_feature_r2(truth: Array, prediction: Array) -> float:
    residual = np.sum((truth - prediction) ** 2, axis=0)
    total = np.sum((truth - truth.mean(axis=0)) ** 2, axis=0)
    return float(np.median(1 - residual[total > 0] / total[total > 0]))


def _correlation_scores(truth: Array, prediction: Array) -> dict[str, float]:
    correlations = feature_correlations(truth, prediction)
    defined = correlations[np.isfinite(correlations)]
    if not len(defined):
        return {}
    low, middle, high = np.quantile(defined, [0.25, 0.5, 0.75])
    return {
        "correlation_q25": float(low),
        "correlation_median": float(middle),
        "correlation_q75": float(high),
        "share_above_half": float(np.mean(defined > 0.5)),
    }


def _coverage(truth: Array, draws: tuple[Array, Array] | None) -> dict[str, float]:
    if draws is None:
        return {}
    mean, sd = draws
    return {
        f"coverage_{percent}": float(
            np.mean(np.abs(truth - mean) <= norm.ppf(0.5 + percent / 200) * sd)
        )
        for percent in (50, 90)
    }


def _intervals(truth: Array, prediction: Array, counts: Counts, level: float) -> dict[str, float]:
    low, high = r2_interval(truth, prediction, counts, level)
    ends = {"r2_low": low, "r2_high": high}
    defined = np.isfinite(feature_correlations(truth, prediction))
    if not defined.any():
        return ends
    medians, shares = [], []
    for own in resampled_correlations(truth[:, defined], prediction[:, defined], counts):
        # A rare feature may be constant in a sample: it counts as not predicted there.
        own = np.nan_to_num(own)
        medians.append(np.median(own, axis=1))
        shares.append(np.mean(own > 0.5, axis=1))
    for name, values in (("correlation_median", medians), ("share_above_half", shares)):
        low, high = central_interval(np.concatenate(values), level)
        ends |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return ends
