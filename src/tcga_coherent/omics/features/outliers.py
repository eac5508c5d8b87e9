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

from tcga_coherent.omics.blocks import row_blocks
from tcga_coherent.omics.features.steps import StepSpec, build_steps, leading_row_wise
from tcga_coherent.omics.features.transforms import (
    Log2CountsToCpm,
    Transform,
    bind_steps,
    column_parts,
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
    usual, summaries = _learn(measured, applied_rules(steps, bounds), bounds, modality=modality)
    return usual.judge(summaries, modality=modality)


@dataclass(frozen=True, eq=False)
class MeasuredPatients:
    """What patients are judged by: their values after the leading row-wise steps, and their libraries.

    Values are computed from the table whenever they are asked for, some columns or rows at a time.

    Attributes
    ----------
    table
        Patients x features in input units.
    steps
        The leading row-wise steps, bound to the patients.
    library_size
        Log of the sum of each patient's counts, missing for none; None where values are no counts.
    modality
        Name of the modality, for messages.
    """

    table: pd.DataFrame
    steps: Sequence[Transform]
    library_size: np.ndarray | None
    modality: str

    def values(self, part: pd.DataFrame) -> np.ndarray:
        """Return the values of some rows and columns of `table` after the steps.

        Raises
        ------
        ValueError
            When a step cannot be applied to a value; naming modality, step and cell.
        """
        for step in self.steps:
            try:
                part = step.forward(part)
            except ValueError as error:
                raise ValueError(f"{self.modality}: {error}") from error
        return part.to_numpy()


def measure_patients(
    table: pd.DataFrame, row_wise: Sequence[Transform], *, modality: str
) -> MeasuredPatients:
    """Bind the leading row-wise steps to patients, and sum the counts before.

    Raises
    ------
    ValueError
        When a step cannot be applied to a value; naming modality, step and cell.
    """
    try:
        steps = bind_steps(row_wise, table)
    except ValueError as error:
        raise ValueError(f"{modality}: {error}") from error
    library_size = None
    if steps and isinstance(steps[0], Log2CountsToCpm) and steps[0].bound_to is not None:
        sums = steps[0].bound_to.to_numpy()
        # A library of nothing is found by missing_share: it has no counts per million.
        library_size = np.log(np.where(sums > 0, sums, np.nan))
    return MeasuredPatients(table, steps, library_size, modality)


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
        return self.judge(self.summarise(measured), modality=modality)

    def judge(self, summaries: pd.DataFrame, *, modality: str) -> pd.DataFrame:
        """Return the rules that patients break by their summaries."""
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

    def summarise(self, measured: MeasuredPatients) -> pd.DataFrame:
        """Compute each patient's summaries, one column a rule; see the module's table."""
        table = measured.table
        parts = [
            self._summarise_rows(measured, table.iloc[block]) for block in row_blocks(len(table))
        ]
        summaries = pd.concat(parts)
        if measured.library_size is not None:
            summaries.insert(0, "library_size", measured.library_size)
        return summaries

    def _summarise_rows(self, measured: MeasuredPatients, rows: pd.DataFrame) -> pd.DataFrame:
        summaries = pd.DataFrame(index=rows.index)
        if measured.library_size is not None:
            counts = log2_counts_to_counts(rows)
            uncounted = np.isnan(counts)
            # A feature that a patient lacks counts as often detected as in others.
            detected = (counts > 0).sum(axis=1)
            if uncounted.any():
                detected = detected + uncounted @ self.detected
            summaries["detected_features"] = detected / len(self.detected)
        values = measured.values(rows)
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
    return _learn(measured, rules, bounds, modality=modality)[0]


def _learn(
    measured: MeasuredPatients,
    rules: Sequence[Rule],
    bounds: Mapping[Rule, float | None],
    *,
    modality: str,
) -> tuple[UsualPatients, pd.DataFrame]:
    """Return what `learn_usual_patients` does, and the summaries of the patients."""
    features: list[tuple[np.ndarray, ...]] = []
    for part in column_parts(measured.table):
        values = measured.values(part)
        detected = np.empty(0)
        if measured.library_size is not None:
            counts = log2_counts_to_counts(part)
            counted = np.maximum((~np.isnan(counts)).sum(axis=0), 1)
            detected = (counts > 0).sum(axis=0) / counted
        features.append((np.isnan(values).mean(axis=0) <= 0.5, *robust_scales(values), detected))
    usual, medians, spreads, detected = map(np.concatenate, zip(*features, strict=True))
    if not usual.any():
        raise ValueError(
            f"{modality}: no feature is measured in at least half of the {len(measured.table)} patients, so "
            f"outliers cannot be told. Check that all its files have the same feature names."
        )
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
    summaries = found.summarise(measured)
    # In the precision of the summaries.
    centers = {rule: summaries[rule].median() for rule in rules}
    scales = [
        max(
            MAD_TO_SD * (summaries[rule] - centers[rule]).abs().median(),
            SMALLEST_SPREAD.get(rule, 0.0),
        )
        for rule in rules
    ]
    learned = replace(
        found,
        centers=np.array(list(centers.values()), dtype=np.float64),
        scales=np.array(scales, dtype=np.float64),
    )
    return learned, summaries


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
    # Medians along contiguous memory take half the time.
    profiles = np.ascontiguousarray(values.T)
    medians = row_medians(profiles)
    spreads = MAD_TO_SD * row_medians(np.abs(profiles - medians[:, np.newaxis]))
    return medians, np.where(spreads > 0, spreads, np.nan)


def robust_scores(values: np.ndarray, medians: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """Robust z score of each column; missing where it has no spread, infinite beyond all measure."""
    with np.errstate(over="ignore"):
        scores = values - medians
        scores /= spreads
        return scores


def row_medians(values: np.ndarray) -> np.ndarray:
    """Median of each row without its missing values; missing where it has no other."""
    medians = np.full(len(values), np.nan, dtype=values.dtype)
    measured = np.flatnonzero(~np.isnan(values).all(axis=1))
    medians[measured] = np.nanmedian(values[measured], axis=1)
    return medians
