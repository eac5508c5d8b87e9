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
the steps begin with ``log2_counts_to_cpm``. In a cohort medians and spreads are taken over all patients: a
rule decides only who is left out, nothing is fitted on it. New patients are held against the training
patients, of whom the preprocessor keeps medians and spreads, see `UsualPatients`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from tcga_coherent.omics.features.steps import StepSpec, build_steps, leading_row_wise
from tcga_coherent.omics.features.transforms import (
    Log2CountsToCpm,
    Transform,
    log2_counts_to_counts,
)
from tcga_coherent.omics.patients.table_checks import check_table

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
    measured = measure_patients(
        table,
        leading_row_wise(build_steps(steps, f"modalities.{modality}.steps")),
        modality=modality,
    )
    usual = learn_usual_patients(measured, applied_rules(steps, bounds), bounds, modality=modality)
    return usual.find_outliers(measured, modality=modality)


@dataclass(frozen=True, eq=False)
class MeasuredPatients:
    """What patients are judged by: their values after the leading row-wise steps, and their libraries.

    Attributes
    ----------
    table
        Patients x features, float32.
    library_size
        Log of the sum of each patient's counts, missing for none; None where values are no counts.
    detected, uncounted
        Whether a count is above zero, and whether it is missing, patients x features; None where values are
        no counts.
    """

    table: pd.DataFrame
    library_size: np.ndarray | None = None
    detected: np.ndarray | None = None
    uncounted: np.ndarray | None = None


def measure_patients(
    table: pd.DataFrame, row_wise: Sequence[Transform], *, modality: str
) -> MeasuredPatients:
    """Apply the leading row-wise steps, and sum the counts before.

    Raises
    ------
    ValueError
        When a step cannot be applied to a value; naming modality, step and cell.
    """
    library_size = detected = uncounted = None
    if row_wise and isinstance(row_wise[0], Log2CountsToCpm):
        counts = log2_counts_to_counts(table)
        sums = row_wise[0].library_sizes(counts, table.columns)
        # A library of nothing is found by missing_share: it has no counts per million.
        library_size = np.log(np.where(sums > 0, sums, np.nan))
        detected, uncounted = counts > 0, np.isnan(counts)
        del counts
    for step in row_wise:
        try:
            table = step.forward(table)
        except ValueError as error:
            raise ValueError(f"{modality}: {error}") from error
    return MeasuredPatients(table, library_size, detected, uncounted)


@dataclass(frozen=True, eq=False)
class UsualPatients:
    """Medians and spreads that patients are held against.

    Attributes
    ----------
    medians, spreads
        Of each feature after the leading row-wise steps, shape (features,); a spread is missing where
        there is none.
    usual
        Whether at least half of the patients have the feature, shape (features,).
    detected
        Share of the patients with a count of the feature, shape (features,), or (0,) for no counts.
    rules
        Rules that apply, in their order.
    bounds
        Bound of each rule, missing for none, shape (rules,).
    centers, scales
        Median and spread over patients of each rule's summary, shape (rules,).
    """

    medians: np.ndarray
    spreads: np.ndarray
    usual: np.ndarray
    detected: np.ndarray
    rules: tuple[Rule, ...]
    bounds: np.ndarray
    centers: np.ndarray
    scales: np.ndarray

    def find_outliers(self, measured: MeasuredPatients, *, modality: str) -> pd.DataFrame:
        """Return the rules that patients of the same features break; see :func:`find_outliers`."""
        summaries = self._summarise(measured)
        broken = []
        for number, rule in enumerate(self.rules):
            value = summaries[rule]
            bound = None if np.isnan(self.bounds[number]) else float(self.bounds[number])
            limit = np.inf if bound is None else bound
            if rule == "missing_share":
                score = pd.Series(np.nan, index=value.index)
                outside = (value > limit) | (value == 1.0)
            else:
                center, scale = float(self.centers[number]), float(self.scales[number])
                score = (value - center) / scale
                outside = (score if rule == "distance" else score.abs()) > limit
            for patient in value.index[outside]:
                broken.append((modality, patient, rule, value[patient], score[patient], bound))
        return pd.DataFrame(broken, columns=COLUMNS).sort_values(
            ["patient_id", "rule"], ignore_index=True
        )

    def _summarise(self, measured: MeasuredPatients) -> pd.DataFrame:
        """Compute each patient's summaries, one column a rule; see the module's table."""
        summaries = pd.DataFrame(index=measured.table.index)
        if measured.detected is not None and measured.uncounted is not None:
            summaries["library_size"] = measured.library_size
            # A feature that a patient lacks counts as often detected as in others.
            detected = measured.detected.sum(axis=1)
            if measured.uncounted.any():
                detected = detected + measured.uncounted @ self.detected
            summaries["detected_features"] = detected / len(self.detected)
        values = measured.table.to_numpy()
        summaries["missing_share"] = np.isnan(values[:, self.usual]).mean(axis=1)
        scores = robust_scores(values, self.medians, self.spreads)
        scores[:, ~self.usual] = np.nan
        summaries["level"] = row_medians(scores)
        distance = row_medians(np.abs(scores, out=scores))
        # A patient with the median value of most features is no outlier and has no logarithm.
        summaries["distance"] = np.log(np.where(distance > 0, distance, np.nan))
        return summaries


def learn_usual_patients(
    measured: MeasuredPatients,
    rules: Sequence[Rule],
    bounds: Mapping[Rule, float | None],
    *,
    modality: str,
) -> UsualPatients:
    """Learn the medians and spreads of patients, of whom some may be outliers.

    Raises
    ------
    ValueError
        When no feature is measured in half of the patients.
    """
    values = measured.table.to_numpy()
    usual = np.isnan(values).mean(axis=0) <= 0.5
    if not usual.any():
        raise ValueError(
            f"{modality}: no feature is measured in at least half of the {len(values)} patients, so "
            f"outliers cannot be told. Check that all its files have the same feature names."
        )
    medians, spreads = robust_scales(values)
    detected = np.empty(0)
    if measured.detected is not None and measured.uncounted is not None:
        counted = np.maximum((~measured.uncounted).sum(axis=0), 1)
        detected = measured.detected.sum(axis=0) / counted
    limits = [bounds.get(rule) for rule in rules]
    blank = np.full(len(rules), np.nan)
    found = UsualPatients(
        medians=medians,
        spreads=spreads,
        usual=usual,
        detected=detected,
        rules=tuple(rules),
        bounds=np.array([np.nan if limit is None else limit for limit in limits]),
        centers=blank,
        scales=blank,
    )
    summaries = found._summarise(measured)[list(rules)]
    # In the precision of the summaries.
    centers = {rule: summaries[rule].median() for rule in rules}
    scales = [
        max(
            MAD_TO_SD * (summaries[rule] - centers[rule]).abs().median(),
            SMALLEST_SPREAD.get(rule, 0.0),
        )
        for rule in rules
    ]
    return replace(
        found,
        centers=np.array(list(centers.values()), dtype=np.float64),
        scales=np.array(scales, dtype=np.float64),
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


def robust_scales(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and robust spread of each column, patients x features; no spread is missing."""
    medians, spreads = (np.empty(values.shape[1], dtype=values.dtype) for _ in range(2))
    for start in range(0, values.shape[1], BLOCK):
        block = slice(start, start + BLOCK)
        # Medians along contiguous memory take half the time.
        profiles = np.ascontiguousarray(values[:, block].T)
        medians[block] = row_medians(profiles)
        spread = MAD_TO_SD * row_medians(np.abs(profiles - medians[block, np.newaxis]))
        spreads[block] = np.where(spread > 0, spread, np.nan)
    return medians, spreads


def robust_scores(values: np.ndarray, medians: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """Robust z score of each column; missing where it has no spread, infinite beyond all measure."""
    with np.errstate(over="ignore"):
        scores = values - medians
        scores /= spreads
        return scores


def row_medians(values: np.ndarray) -> np.ndarray:
    """Median of each row without its missing values; missing where it has no other."""
    medians = np.full(len(values), np.nan, dtype=values.dtype)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        measured = np.flatnonzero(~np.isnan(block).all(axis=1))
        medians[start + measured] = np.nanmedian(block[measured], axis=1)
    return medians
