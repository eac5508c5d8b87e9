"""Which genes, proteins and other features are predicted well."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.feature_correlation import feature_correlations, resampled_correlations
from tcga_coherent.modality import STRICT
from tcga_coherent.source_sets import generative_methods
from tcga_coherent.studies.reconstruction.decoded import STANDARDISED, DecodedTarget


@dataclass(frozen=True, config=STRICT)
class DecodedParameters:
    """Settings of the tables of decoded features.

    Attributes
    ----------
    listed_features
        Features that are named of each modality, best predicted and worst.
    """

    listed_features: Annotated[int, Field(ge=1)]


def correlations_by_method(decoded: DecodedTarget) -> pd.DataFrame:
    """Return the correlation of each standardised feature by method.

    Returns
    -------
    DataFrame
        Features x methods, without a baseline that predicts the same for all patients; NaN where
        another does.
    """
    truth = decoded.truth[STANDARDISED]
    values = {
        method: feature_correlations(truth.to_numpy(float), frame.to_numpy(float))
        for method, frame in decoded.predictions[STANDARDISED].items()
        if method not in BASELINES or not BASELINES[method].constant
    }
    return pd.DataFrame(values, index=truth.columns)


def best_and_worst_features(
    decoded: DecodedTarget,
    correlations: pd.DataFrame,
    parameters: DecodedParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Name the features that the ensemble predicts best and worst.

    Parameters
    ----------
    decoded
        One of :func:`tcga_coherent.studies.reconstruction.decoded.decode_targets`.
    correlations
        Result of :func:`correlations_by_method`.
    parameters
        How many to name.
    bootstrap
        Settings of the intervals.
    seed
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row a feature: ``target``, ``ranked_by`` (method), ``end`` (``best`` or ``worst``),
        ``rank``, ``feature``, ``correlation``, its bootstrap interval over patients, and
        ``correlation_<method>`` of the others. The best of many features are best by luck too: of
        other patients, their correlations will be lower.
    """
    sources = decoded.source.split("+")
    ranked_by = generative_methods(sources)[-1]
    ordered = correlations[ranked_by].dropna().sort_values(ascending=False, kind="stable")
    n_listed = min(parameters.listed_features, len(ordered))
    best, worst = ordered.index[:n_listed], ordered.index[::-1][:n_listed]
    listed = pd.Index([*best, *worst])
    truth = decoded.truth[STANDARDISED][listed].to_numpy(float)
    prediction = decoded.predictions[STANDARDISED][ranked_by][listed].to_numpy(float)
    counts = resample_patients(len(truth), bootstrap.repeats, seed)
    resampled = np.concatenate(list(resampled_correlations(truth, prediction, counts)))
    low, high = central_interval(resampled, bootstrap.level)
    others = correlations.drop(columns=ranked_by).add_prefix("correlation_")
    return pd.DataFrame(
        {
            "target": decoded.target,
            "ranked_by": ranked_by,
            "end": ["best"] * n_listed + ["worst"] * n_listed,
            "rank": [*range(1, n_listed + 1)] * 2,
            "feature": listed,
            "correlation": ordered[listed].to_numpy(),
            "correlation_low": low,
            "correlation_high": high,
            **{name: column.to_numpy() for name, column in others.loc[listed].items()},
            "n_patients": len(truth),
        }
    )
