"""How honest the spread of the draws is: overall, by cancer type, and patient by patient.

All of it is for the generation from all other modalities. Every row holds a value, what it would
be for draws from the true distribution (``nominal``), and how uncertain the value is because the
patients are a sample.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass as validated_dataclass

from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.cohort import FEWEST_PATIENTS
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    patient_interval,
    resampled_spearman,
    spearman,
)
from tcga_coherent.measures.calibration import coverage_by_patient, rank_shares, spread_and_error
from tcga_coherent.measures.cancer_types import name_of_all
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT
from tcga_coherent.source_sets import GENERATIVE_METHODS, generative_methods, join_sources

logger = logging.getLogger(__name__)

LEVELS_OF_A_TYPE = (0.5, 0.9)
COLUMNS = [
    *("target", "method", "source", "measure", "cancer_type", "every_type", "point"),
    *("nominal", "value", "low", "high", "n_patients"),
]


@validated_dataclass(frozen=True, config=STRICT)
class CalibrationParameters:
    """What the calibration table holds.

    Attributes
    ----------
    levels
        Levels of the intervals whose coverage is measured over all patients, 50 % and 90 % always
        among them. By cancer type it is these two alone.
    spread_bins
        Groups of patients of similar predicted spread whose error is measured.
    """

    levels: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)]
    spread_bins: Annotated[int, Field(ge=2)]


def calibration_table(
    held_out: HeldOut, bootstrap: BootstrapParameters, parameters: CalibrationParameters, seed: int
) -> pd.DataFrame:
    """Measure the calibration of the generation from all sources, and of the strongest baseline for comparison.

    Parameters
    ----------
    held_out
        Draws and predictions of the test patients.
    bootstrap
        Settings of the intervals.
    parameters
        Levels and bins.
    seed
        Seed of the bootstrap and of the noise of the simple method.

    Returns
    -------
    DataFrame
        One row a target, method, measure, cancer type, or all (``every_type``), and point:

        ================ ================= =================================== ====================
        measure          point             nominal                             value
        ================ ================= =================================== ====================
        coverage         level in percent  the level, or the highest that the  share of entries
                                           draws reach                         inside the interval
        rank             draws below the   1 / (K + 1)                         share of entries
                         truth
        spread_skill     none              1                                   spread over error
        error_by_spread  group, by spread  root mean square spread             root mean square
                                                                               error
        spread_error     none              none                                Spearman correlation
                                                                               over patients
        ================ ================= =================================== ====================

        ``low`` and ``high`` bound the bootstrap interval over patients, missing for a single one.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort.
    """
    cohort = held_out.cohort
    rows: list[dict[str, Any]] = []
    # What a row is about that names no cancer type.
    every_type = cohort.cancer_type[cohort.held_out].to_numpy(str)
    overall = {"cancer_type": name_of_all(every_type), "every_type": True}
    for target in cohort.modalities:
        patients = cohort.tested(target, *held_out.others(target))
        if len(patients) < FEWEST_PATIENTS:
            logger.warning(
                "%s: too few test patients have it and all others to be calibrated", target
            )
            continue
        types = cohort.cancer_type[patients].to_numpy(str)
        truth = cohort.truth(target, patients)
        for method, source, draws in _draws_from_all_sources(held_out, target, seed, patients):
            measured = _measure(truth, held_out.independent(draws), parameters.levels)
            own = [*_rows(measured, types, bootstrap, seed)]
            # A baseline has one spread for all patients: nothing that could tell them apart.
            if method in GENERATIVE_METHODS:
                own += _error_by_spread(measured, parameters.spread_bins, bootstrap, seed)
                own.append(_spread_error(measured, bootstrap, seed))
            keys = {"target": target, "method": method, "source": source}
            rows += [keys | overall | row for row in own]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"point": "Int64"})


def calibration_lines(table: pd.DataFrame) -> list[str]:
    """Say in one line a target how well the draws from all sources are calibrated.

    Parameters
    ----------
    table
        Result of :func:`calibration_table`.
    """
    overall = table[table["every_type"]]
    lines = []
    for target, rows in overall.groupby("target", sort=False):
        parts = []
        for method, own in rows.groupby("method", sort=False):
            covered = own[own["measure"] == "coverage"].set_index("point")["value"]
            ratio = own.loc[own["measure"] == "spread_skill", "value"].iloc[0]
            parts.append(
                f"{method} {covered[50]:.1%} and {covered[90]:.1%}, spread/error {ratio:.2f}"
            )
        lines.append(f"{target}: coverage of the 50 % and the 90 % interval: {'; '.join(parts)}")
    return lines


@dataclass(frozen=True)
class _Measured:
    """Calibration of each patient, averaged over sets of independent draws."""

    levels: tuple[float, ...]
    nominal: NDArray[np.float64]
    coverage: NDArray[np.float64]
    ranks: NDArray[np.float64]
    spread: NDArray[np.float64]
    error: NDArray[np.float64]


def _draws_from_all_sources(
    held_out: HeldOut, target: str, seed: int, patients: pd.Index
) -> Iterator[tuple[str, str, Array]]:
    """Yield method, sources and draws."""
    sources = held_out.others(target)
    for method in generative_methods(sources):
        draws = held_out.draws(target, method, sources, patients)
        yield method, join_sources(sources), draws
    simple = held_out.prediction(target, STRONGEST, sources, patients)
    noise = held_out.noise(target, len(draws), seed, patients)
    yield STRONGEST, join_sources(sources), simple.mean + simple.noise_sd * noise


def _measure(truth: Array, sets: tuple[Array, ...], levels: tuple[float, ...]) -> _Measured:
    every_level = tuple(sorted({*levels, *LEVELS_OF_A_TYPE}))
    coverages = [coverage_by_patient(truth, draws, every_level) for draws in sets]
    spreads = [spread_and_error(truth, draws) for draws in sets]
    return _Measured(
        every_level,
        coverages[0][1],
        np.mean([observed for observed, _ in coverages], axis=0),
        np.mean([rank_shares(truth, draws) for draws in sets], axis=0),
        np.mean([spread for spread, _ in spreads], axis=0),
        np.mean([error for _, error in spreads], axis=0),
    )


def _rows(
    measured: _Measured, types: NDArray[np.str_], bootstrap: BootstrapParameters, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield coverage, ranks and spread over error; `types` are the patients' cancer types."""
    everyone = np.arange(len(types))
    for row in (
        *_coverage(measured, everyone, measured.levels, bootstrap, seed),
        *_ranks(measured, bootstrap, seed),
        _spread_skill(measured, everyone, bootstrap, seed),
    ):
        yield row
    for name in np.unique(types):
        members = np.flatnonzero(types == name)
        for row in (
            *_coverage(measured, members, LEVELS_OF_A_TYPE, bootstrap, seed),
            _spread_skill(measured, members, bootstrap, seed),
        ):
            yield {"cancer_type": name, "every_type": False, **row}


def _coverage(
    measured: _Measured,
    members: NDArray[np.int64],
    levels: tuple[float, ...],
    bootstrap: BootstrapParameters,
    seed: int,
) -> list[dict[str, Any]]:
    chosen = [measured.levels.index(level) for level in levels]
    covered = measured.coverage[members][:, chosen]
    points = [round(100 * level) for level in levels]
    return _means("coverage", points, measured.nominal[chosen], covered, bootstrap, seed)


def _ranks(measured: _Measured, bootstrap: BootstrapParameters, seed: int) -> list[dict[str, Any]]:
    n_ranks = measured.ranks.shape[1]
    nominal = np.full(n_ranks, 1 / n_ranks)
    return _means("rank", range(n_ranks), nominal, measured.ranks, bootstrap, seed)


def _means(
    measure: str,
    points: Iterable[int],
    nominal: NDArray[np.float64],
    values: NDArray[np.float64],
    bootstrap: BootstrapParameters,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the means over patients of the columns of `values`, a row each."""
    n = len(values)
    low, high = patient_interval(lambda counts: counts @ values / n, n, bootstrap, seed)
    columns = zip(points, nominal, values.mean(axis=0), low, high, strict=True)
    names = ("point", "nominal", "value", "low", "high")
    return [
        {"measure": measure, **dict(zip(names, column, strict=True)), "n_patients": n}
        for column in columns
    ]


def _spread_skill(
    measured: _Measured, members: NDArray[np.int64], bootstrap: BootstrapParameters, seed: int
) -> dict[str, Any]:
    spread, error = measured.spread[members], measured.error[members]
    low, high = patient_interval(
        lambda counts: np.sqrt((counts @ spread) / (counts @ error)), len(members), bootstrap, seed
    )
    return {
        "measure": "spread_skill",
        "nominal": 1.0,
        "value": np.sqrt(spread.mean() / error.mean()),
        "low": low,
        "high": high,
        "n_patients": len(members),
    }


def _error_by_spread(
    measured: _Measured, n_bins: int, bootstrap: BootstrapParameters, seed: int
) -> Iterator[dict[str, Any]]:
    by_spread = np.argsort(measured.spread, kind="stable")
    groups = np.array_split(by_spread, min(n_bins, len(by_spread)))
    for number, members in enumerate(groups, start=1):
        (row,) = _means(
            "error_by_spread",
            [number],
            measured.spread[members].mean(keepdims=True),
            measured.error[members, None],
            bootstrap,
            seed,
        )
        # Squares can be averaged; roots are in the unit of the data.
        roots = {name: np.sqrt(row[name]) for name in ("nominal", "value", "low", "high")}
        yield row | roots


def _spread_error(measured: _Measured, bootstrap: BootstrapParameters, seed: int) -> dict[str, Any]:
    spread, error = measured.spread, measured.error
    low, high = patient_interval(
        lambda counts: resampled_spearman(spread, error, counts), len(spread), bootstrap, seed
    )
    return {
        "measure": "spread_error",
        "value": float(spearman(spread, error)),
        "low": low,
        "high": high,
        "n_patients": len(spread),
    }
