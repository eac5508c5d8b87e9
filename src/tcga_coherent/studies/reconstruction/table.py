"""Table 1: how well each target is reconstructed, by every method from every set of sources."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pydantic.dataclasses import dataclass

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.calibration import (
    coverage_over_sets,
    crps,
    energy_score,
    mean_over_sets,
    spread_skill,
)
from tcga_coherent.measures.fidelity import (
    Array,
    cosine,
    cosine_of_draws,
    mse,
    mse_of_draws,
    r2,
    r2_of_draws,
    r2_variance_weighted,
    resampled_r2,
    variance_percent,
)
from tcga_coherent.modality import STRICT
from tcga_coherent.source_sets import GENERATIVE_METHODS, join_sources
from tcga_coherent.studies.reconstruction.experiment import reconstructions


@dataclass(frozen=True, config=STRICT)
class ReportedRow:
    """One row of a published table, from another cohort.

    Attributes
    ----------
    target, method
        As in the table made here.
    source
        Modality names joined by ``+``, in any order.
    r2_mean, r2_std
        Mean and standard deviation of the R2 of single draws.
    variance_percent
        Variance of the draws as percent of the variance of the data.
    """

    target: str
    method: str
    source: str
    r2_mean: float
    r2_std: float
    variance_percent: float


def table1(
    held_out: HeldOut, bootstrap: BootstrapParameters, reported: Sequence[ReportedRow], seed: int
) -> pd.DataFrame:
    """Score every method on every target from every set of sources.

    Parameters
    ----------
    held_out
        Draws and predictions of the test patients.
    bootstrap
        Settings of the intervals of ``r2_of_mean``.
    reported
        Rows of the paper's Table 1, put beside those computed here.
    seed
        Seed of the bootstrap and of the noise of the baselines.

    Returns
    -------
    DataFrame
        One row a target, method and source set. ``r2_mean``, ``r2_std``: R2 of single draws;
        ``r2_of_mean``: R2 of the mean of the draws (for baselines of the exact prediction), with
        its bootstrap interval over patients; ``r2_of_mean_corrected``: without what the mean loses
        because the draws are finite in number, estimated from their variance, so that it corrects
        too little for independent draws whose spread was made smaller; ``nominal_50``, ``nominal_90``: what the coverages
        would be for exchangeable draws; ``mse_of_draws``, ``cosine_of_draws``, ``mse_of_mean``,
        ``cosine_of_mean``: mean squared error, and cosine between a patient's measured and
        reconstructed latents averaged over patients; ``best``: the best ``r2_of_mean`` of the target among the
        methods that use all sources; ``paper_*``: what the paper reports, on another cohort.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort, or partitions differ in the number
        of draws.
    """
    cohort = held_out.cohort
    # Most source sets have equally many patients.
    resample = cache(lambda n_patients: resample_patients(n_patients, bootstrap.repeats, seed))
    rows: list[dict[str, Any]] = []
    for target in cohort.modalities:
        for made in reconstructions(held_out, target, seed):
            resamples = resample(len(made.patients))
            scores = _scores(made.truth, made.sets, made.mean, resamples, bootstrap.level)
            if made.method in BASELINES:
                scores["r2_of_mean_corrected"] = scores["r2_of_mean"]
            rows.append({"target": target, "method": made.method, "source": made.source, **scores})
    table = pd.DataFrame(rows)
    table["best"] = _best_of_all_sources(
        table, {target: join_sources(held_out.others(target)) for target in cohort.modalities}
    )
    return _beside_reported(in_order(table), reported)


def summary_lines(table: pd.DataFrame) -> list[str]:
    """Say in one line a target which method reconstructs it best.

    Parameters
    ----------
    table
        Result of :func:`table1`.
    """
    lines = []
    for target, rows in table.groupby("target", sort=False):
        rows = rows.set_index("method")
        winner = rows[rows["best"]].iloc[0]
        single = rows.loc[["single"]].nlargest(1, "r2_of_mean").iloc[0]
        rivals = rows[rows["source"] == winner["source"]].drop(index="single", errors="ignore")
        compared = ", ".join(f"{name} {row.r2_of_mean:.3f}" for name, row in rivals.iterrows())
        lines.append(
            f"{target}: R2 of the mean draw from {winner['source']}: {compared}; best single source "
            f"{single['r2_of_mean']:.3f} ({single['source']}); best: {winner.name}"
        )
    return lines


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by target as they come, then by method, then as they come."""
    rank = {
        "target": {name: i for i, name in enumerate(table["target"].unique())},
        "method": {name: i for i, name in enumerate((*GENERATIVE_METHODS, *BASELINES))},
    }
    return table.sort_values(
        ["target", "method"],
        key=lambda column: column.map(rank[str(column.name)]),
        kind="stable",
        ignore_index=True,
    )


def r2_interval(
    truth: Array, prediction: Array, resamples: Counts, level: float
) -> tuple[float, float]:
    """Percentile interval of R2 over bootstrap samples of the patients.

    Parameters
    ----------
    truth, prediction
        Measured and predicted values, patients x dimensions.
    resamples
        How often each patient is drawn, samples x patients.
    level
        Share of the samples that the interval holds.
    """
    errors = np.sum((truth - prediction) ** 2, axis=1)
    low, high = central_interval(resampled_r2(truth, errors, resamples), level)
    return float(low), float(high)


def _scores(
    truth: Array, sets: tuple[Array, ...], mean: Array, resamples: Counts, level: float
) -> dict[str, float]:
    """Score draws; what supposes independent draws is the mean over sets of such."""
    single_draws = np.concatenate([r2_of_draws(truth, draws) for draws in sets])
    low, high = r2_interval(truth, mean, resamples, level)
    half, most = (coverage_over_sets(truth, sets, share) for share in (0.5, 0.9))
    r2_of_mean = r2(truth, mean)
    return {
        "r2_mean": float(single_draws.mean()),
        "r2_std": float(single_draws.std(ddof=1)),
        "variance_percent": mean_over_sets(variance_percent, truth, sets),
        "r2_of_mean": r2_of_mean,
        "r2_of_mean_low": low,
        "r2_of_mean_high": high,
        "r2_of_mean_corrected": r2_of_mean + _lost_to_few_draws(truth, sets),
        "r2_variance_weighted": r2_variance_weighted(truth, mean),
        "mse_of_draws": mean_over_sets(mse_of_draws, truth, sets),
        "mse_of_mean": mse(truth, mean),
        "cosine_of_draws": mean_over_sets(cosine_of_draws, truth, sets),
        "cosine_of_mean": cosine(truth, mean),
        "crps": mean_over_sets(crps, truth, sets),
        "energy_score": mean_over_sets(energy_score, truth, sets),
        "coverage_50": half.observed,
        "coverage_90": most.observed,
        "nominal_50": half.nominal,
        "nominal_90": most.nominal,
        "spread_skill": mean_over_sets(spread_skill, truth, sets),
        "n_patients": len(truth),
        "n_draws": sum(len(draws) for draws in sets),
    }


def _lost_to_few_draws(truth: Array, sets: tuple[Array, ...]) -> float:
    """Variance of the mean of the draws around that of endless draws, as a share of the data's.

    The means over the k-th draws of all sets, a pair of antithetic ones, are independent.
    """
    pair_means = np.mean(sets, axis=0)
    variance = pair_means.var(axis=0, ddof=1).mean() / len(pair_means)
    return float(variance / truth.var())


def _best_of_all_sources(table: pd.DataFrame, everything: Mapping[str, str]) -> pd.Series:
    complete = table[table["source"] == table["target"].map(everything)]
    winners = complete.groupby("target")["r2_of_mean"].idxmax()
    return pd.Series(table.index.isin(winners), index=table.index)


def _beside_reported(table: pd.DataFrame, reported: Sequence[ReportedRow]) -> pd.DataFrame:
    by_key = {(row.target, row.method, frozenset(row.source.split("+"))): row for row in reported}
    matched = [
        by_key.get((target, method, frozenset(source.split("+"))))
        for target, method, source in table[["target", "method", "source"]].itertuples(index=False)
    ]
    columns = {
        f"paper_{name}": [np.nan if row is None else getattr(row, name) for row in matched]
        for name in ("r2_mean", "r2_std", "variance_percent")
    }
    return table.assign(**columns)
