"""Patients whose measurement of a modality failed: biological outliers.

The paper removes them "based on modality-specific distributions" without saying how. The rule here:
each patient is summarised by a few numbers, computed on the values after the modality's leading
row-wise steps, and left out of the modality where a number is out of bounds.

=================  ====================================================================  ===========
rule               summary of a patient                                                  bound on
=================  ====================================================================  ===========
missing_share      share missing of the features that at least half of the patients have the share
level              median over the features of the robust z score of the value           its size
distance           log of the median over the features of the absolute robust z score    the score
library_size       log of the sum of the counts                                          its size
detected_features  share of the features with a count above zero                         its size
=================  ====================================================================  ===========

The bounds of all but the first are on robust z scores over patients, (x - median) / spread with the
spread 1.4826 * median absolute deviation, but at least that of `SMALLEST_SPREAD`: where patients
hardly differ, small differences make no outlier. The last two rules apply to counts, that is where
the steps begin with ``log2_counts_to_cpm``. Medians and spreads are taken over all patients: a rule
decides only who is left out, nothing is fitted on it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from tcga_coherent.omics.steps import StepSpec, build_steps, leading_row_wise
from tcga_coherent.omics.table_checks import check_table
from tcga_coherent.omics.transforms import (
    Log2CountsToCpm,
    Transform,
    log2_counts_to_counts,
    sum_rows,
)

Rule = Literal["missing_share", "level", "distance", "library_size", "detected_features"]

RULES: tuple[Rule, ...] = get_args(Rule)
COUNT_RULES = ("library_size", "detected_features")

# In units of the summaries: robust standard deviations of a feature, logarithms, and a share.
SMALLEST_SPREAD: dict[Rule, float] = {
    "level": 0.2,
    "distance": 0.2,
    "library_size": 0.2,
    "detected_features": 0.02,
}

# One row a patient and rule broken.
COLUMNS = ["modality", "patient_id", "rule", "value", "score", "bound"]

# Makes the median absolute deviation of a normal distribution its standard deviation.
MAD_TO_SD = 1.4826

# Rows or columns that are copied at a time.
BLOCK = 1024


def find_outliers(
    table: pd.DataFrame,
    steps: Sequence[StepSpec],
    bounds: Mapping[Rule, float | None],
    *,
    modality: str,
) -> pd.DataFrame:
    """Find the patients that break a rule.

    Parameters
    ----------
    table
        Patients x features in input units.
    steps
        The modality's ``steps`` parameter.
    bounds
        Rule to its bound; a rule without one is off, but a patient without any value always breaks
        `missing_share`.
    modality
        Name of the modality.

    Returns
    -------
    DataFrame
        One row for each patient and rule broken, sorted, with columns ``modality``, ``patient_id``,
        ``rule``, ``value`` (the summary), ``score`` (its robust z score; missing for
        ``missing_share``) and ``bound``.

    Raises
    ------
    ValueError
        When patients or features occur twice, a value is infinite or text, or no feature is
        measured in half of the patients.
    """
    check_table(table, modality)
    row_wise = leading_row_wise(build_steps(steps, f"modalities.{modality}.steps"))
    summaries = summarise_patients(table, row_wise, modality=modality)
    broken = []
    for rule in applied_rules(steps, bounds):
        value, bound = summaries[rule], bounds.get(rule)
        limit = np.inf if bound is None else bound
        if rule == "missing_share":
            score = pd.Series(np.nan, index=value.index)
            outside = (value > limit) | (value == 1.0)
        else:
            score = robust_z(value, SMALLEST_SPREAD[rule])
            outside = (score if rule == "distance" else score.abs()) > limit
        for patient in table.index[outside]:
            broken.append((modality, patient, rule, value[patient], score[patient], bound))
    return pd.DataFrame(broken, columns=COLUMNS).sort_values(
        ["patient_id", "rule"], ignore_index=True
    )


def applied_rules(steps: Sequence[StepSpec], bounds: Mapping[Rule, float | None]) -> list[Rule]:
    """Return the rules that are switched on and apply to a modality's `steps`."""
    counts = bool(steps) and steps[0] == Log2CountsToCpm.name
    return [
        rule
        for rule in RULES
        if (rule == "missing_share" or bounds.get(rule) is not None)
        and (counts or rule not in COUNT_RULES)
    ]


def summarise_patients(
    table: pd.DataFrame, row_wise: list[Transform], *, modality: str
) -> pd.DataFrame:
    """Compute each patient's summaries, one column a rule that applies; see the module's table."""
    summaries = pd.DataFrame(index=table.index)
    if row_wise and isinstance(row_wise[0], Log2CountsToCpm):
        counts = log2_counts_to_counts(table)
        library_size = sum_rows(counts)
        # A library of nothing is found by missing_share: it has no counts per million.
        summaries["library_size"] = np.log(np.where(library_size > 0, library_size, np.nan))
        summaries["detected_features"] = (counts > 0).mean(axis=1)
        del counts
    for step in row_wise:
        table = step.forward(table)

    values = table.to_numpy()
    missing = np.isnan(values)
    usual = missing.mean(axis=0) <= 0.5
    if not usual.any():
        raise ValueError(
            f"{modality}: no feature is measured in at least half of the {len(table)} patients, so "
            f"outliers cannot be told. Check that all its files have the same feature names."
        )
    summaries["missing_share"] = missing[:, usual].mean(axis=1)
    del missing

    scores = robust_scores(values)
    scores[:, ~usual] = np.nan
    summaries["level"] = row_medians(scores)
    distance = row_medians(np.abs(scores, out=scores))
    # A patient with the median value of most features is no outlier and has no logarithm.
    summaries["distance"] = np.log(np.where(distance > 0, distance, np.nan))
    return summaries


def robust_scores(values: np.ndarray) -> np.ndarray:
    """Robust z score of each column, patients x features; missing where a column has no spread."""
    scores = np.empty_like(values)
    for start in range(0, values.shape[1], BLOCK):
        block = slice(start, start + BLOCK)
        # Medians along contiguous memory take half the time.
        profiles = np.ascontiguousarray(values[:, block].T)
        deviation = profiles - row_medians(profiles)[:, np.newaxis]
        spread = MAD_TO_SD * row_medians(np.abs(deviation))[:, np.newaxis]
        scores[:, block] = (deviation / np.where(spread > 0, spread, np.nan)).T
    return scores


def row_medians(values: np.ndarray) -> np.ndarray:
    """Median of each row without its missing values; missing where it has no other."""
    medians = np.full(len(values), np.nan, dtype=values.dtype)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        measured = np.flatnonzero(~np.isnan(block).all(axis=1))
        medians[start + measured] = np.nanmedian(block[measured], axis=1)
    return medians


def robust_z(value: pd.Series, smallest_spread: float) -> pd.Series:
    """Robust z score of each patient's summary."""
    deviation = value - value.median()
    return deviation / max(MAD_TO_SD * deviation.abs().median(), smallest_spread)
