"""How well each target is reconstructed within each cancer type (paper, S2 Appendix).

Two questions are kept apart. ``r2_of_mean`` is the R2 of Table 1 over the patients of one type; its
baseline is one number for all entries of the type, so that a method which knows no more than the
type's mean profile already scores well. ``r2_beyond_type`` has that profile, of the training
patients, as the baseline: it is above zero only where a method knows more of a patient than the
cancer type.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.cohort import Cohort
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.cancer_types import name_of_all
from tcga_coherent.measures.fidelity import Array, cosine_by_patient
from tcga_coherent.modality import STRICT
from tcga_coherent.studies.reconstruction.experiment import Reconstruction, reconstructions
from tcga_coherent.studies.reconstruction.table import in_order, r2_interval


@dataclass(frozen=True, config=STRICT)
class ByTypeParameters:
    """Settings of the table by cancer type.

    Attributes
    ----------
    min_patients
        Fewest test patients of a cancer type for a bootstrap interval; of fewer it is too narrow.
    """

    min_patients: Annotated[int, Field(ge=2)]


def reconstruction_by_type(
    held_out: HeldOut, bootstrap: BootstrapParameters, parameters: ByTypeParameters, seed: int
) -> pd.DataFrame:
    """Score every method on every target from every set of sources within each cancer type.

    Parameters
    ----------
    held_out
        Draws and predictions of the test patients.
    bootstrap
        Settings of the intervals.
    parameters
        When a type has an interval.
    seed
        Seed of the bootstrap and of the noise of the baselines.

    Returns
    -------
    DataFrame
        One row a target, method, source set and cancer type, or all (``every_type``). ``r2_mean``, ``r2_std``: R2
        of single draws; ``r2_of_mean``: R2 of the mean of the draws; both about the grand mean of
        the measured entries of the type. ``r2_beyond_type``: share by which the mean of the draws
        has less squared error than the mean of the training patients of each patient's cancer type,
        missing for a type without such, whose patients count in none. ``mse_*``, ``cosine_*``: as in Table 1. ``*_low`` and
        ``*_high`` bound the bootstrap interval over patients, missing for types of few.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort.
    """
    cohort = held_out.cohort
    # Most source sets have equally many patients.
    resample = cache(lambda n_patients: resample_patients(n_patients, bootstrap.repeats, seed))
    rows: list[dict[str, Any]] = []
    for target in cohort.modalities:
        type_means = _type_means(cohort, target)
        for made in reconstructions(held_out, target, seed):
            types = cohort.cancer_type[made.patients]
            members = _members(types)
            resamples = {
                name: resample(len(own))
                for name, own in members.items()
                if len(own) >= parameters.min_patients
            }
            mean_of_type = type_means.reindex(types).to_numpy(float)
            error_of_type = np.sum((made.truth - mean_of_type) ** 2, axis=1)
            key = {"target": target, "method": made.method, "source": made.source}
            rows += [
                key | scores
                for scores in _scores_by_type(
                    made.truth, error_of_type, made, members, resamples, bootstrap.level
                )
            ]
    return in_order(pd.DataFrame(rows))


def by_type_lines(table: pd.DataFrame) -> list[str]:
    """Say in one line a target what generation from all sources knows beyond the cancer type.

    Parameters
    ----------
    table
        Result of :func:`reconstruction_by_type`.
    """
    lines = []
    n_sources = table["source"].str.count(r"\+")
    every_source = table[(n_sources == n_sources.max()) & ~table["every_type"]]
    for target, rows in every_source.groupby("target", sort=False):
        parts = []
        for method, own in rows.groupby("method", sort=False):
            known = own.dropna(subset="r2_beyond_type_low")
            above = int((known["r2_beyond_type_low"] > 0).sum())
            parts.append(f"{method} {above}")
        n_types = len(rows.dropna(subset="r2_beyond_type_low")["cancer_type"].unique())
        lines.append(
            f"{target}: cancer types in which more is known of patients than their type (R2 beyond the "
            f"type above 0 with its interval), of {n_types}: {', '.join(parts)}"
        )
    return lines


def _members(cancer_types: pd.Series) -> dict[str, NDArray[np.int64]]:
    """Return the rows of all patients, and of those of each cancer type."""
    types = cancer_types.to_numpy(str)
    own = {str(name): np.flatnonzero(types == name) for name in np.unique(types)}
    return {name_of_all(own): np.arange(len(types)), **own}


def _type_means(cohort: Cohort, target: str) -> pd.DataFrame:
    """Return the mean of the training patients of each cancer type that has any."""
    train = cohort.train[cohort.train.isin(cohort.latents[target].index)]
    return cohort.latents[target].loc[train].groupby(cohort.cancer_type[train]).mean()


def _scores_by_type(
    truth: Array,
    error_of_type: Array,
    made: Reconstruction,
    members: Mapping[str, NDArray[np.int64]],
    resamples: Mapping[str, Counts],
    level: float,
) -> list[dict[str, Any]]:
    # Over patients once; a type's scores are then sums over its members.
    draws = np.concatenate(made.sets)
    error_of_draws = np.sum((draws - truth) ** 2, axis=2)
    cosine_of_draws = np.mean([cosine_by_patient(truth, draw) for draw in draws], axis=0)
    error = np.sum((truth - made.mean) ** 2, axis=1)
    cosine = cosine_by_patient(truth, made.mean)
    rows = []
    has_baseline = np.isfinite(error_of_type)
    for number, (name, own) in enumerate(members.items()):
        judged = own[has_baseline[own]]
        about_mean = np.sum((truth[own] - truth[own].mean()) ** 2)
        r2_of_draws = 1 - error_of_draws[:, own].sum(axis=1) / about_mean
        row = {
            "cancer_type": name,
            "every_type": number == 0,
            "r2_mean": r2_of_draws.mean(),
            "r2_std": r2_of_draws.std(ddof=1),
            "r2_of_mean": 1 - error[own].sum() / about_mean,
            "r2_of_mean_low": np.nan,
            "r2_of_mean_high": np.nan,
            "r2_beyond_type": 1 - error[judged].sum() / error_of_type[judged].sum()
            if len(judged)
            else np.nan,
            "r2_beyond_type_low": np.nan,
            "r2_beyond_type_high": np.nan,
            "mse_of_draws": error_of_draws[:, own].mean() / truth.shape[1],
            "mse_of_mean": error[own].mean() / truth.shape[1],
            "cosine_of_draws": cosine_of_draws[own].mean(),
            "cosine_of_mean": cosine[own].mean(),
            "n_patients": len(own),
        }
        if name in resamples:
            counts = resamples[name]
            row["r2_of_mean_low"], row["r2_of_mean_high"] = r2_interval(
                truth[own], made.mean[own], counts, level
            )
            if len(judged):
                known = counts[:, has_baseline[own]]
                # A sample may hold none of them.
                known = known[known.any(axis=1)]
                beyond = 1 - (known @ error[judged]) / (known @ error_of_type[judged])
                row["r2_beyond_type_low"], row["r2_beyond_type_high"] = central_interval(
                    beyond, level
                )
        rows.append(row)
    return rows
