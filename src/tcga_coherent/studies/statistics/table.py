"""Appendix S6: tests over repeats beside intervals over patients, in one table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from tcga_coherent.measures.score import Score
from tcga_coherent.measures.statistical_tests import (
    Comparison,
    paired_t_test,
    repeated_measures_anova,
    share_above_zero,
)
from tcga_coherent.studies.rescue.scores import MEAN_OF_PATTERNS

REPEATS, PATIENTS = "repeats", "patients"
ANOVA, PAIRED_T, BOOTSTRAP = "anova", "paired_t", "bootstrap"
COLUMNS = [
    "study", "condition", "metric", "unit", "test", "treatment", "reference", "difference_mean",
    "difference_std", "difference_low", "difference_high", "share_above_zero", "statistic", "df",
    "df_error", "p", "p_greenhouse_geisser", "p_holm", "p_bonferroni", "n_tests", "n_repeats",
    "n_patients", "note",
]  # fmt: skip
SIZES = ["n_tests", "n_repeats", "n_patients"]
TEXTS = ["unit", "test", "treatment", "reference", "note"]


def statistics_table(
    comparisons: Sequence[Comparison], level: float, measured: Sequence[dict[str, Any]] = ()
) -> pd.DataFrame:
    """Compare every treatment with each that comes before it.

    Parameters
    ----------
    comparisons
        Scores of all studies.
    level
        Share of the bootstrap samples that an interval holds.
    measured
        Differences whose interval over patients another table has already: rows of this one.

    Returns
    -------
    DataFrame
        Rows whose ``unit`` is ``repeats``: a repeated-measures ANOVA over all treatments of a
        condition, and a paired t test of each pair; ``p_holm`` and ``p_bonferroni`` are corrected
        for the ``n_tests`` of the same study and kind, over all its conditions and metrics. Means
        of patterns, which are averages of other conditions, are a family of their own.
        ``p_greenhouse_geisser`` is not corrected for their number. Their unit is the seed, NOT the
        patient. Rows whose ``unit`` is ``patients``: the paired difference with
        its interval over bootstrap samples of the patients. ``difference_mean`` is treatment less
        reference, ``difference_std`` its standard deviation over repeats. ``note``: why a row has
        no numbers.
    """
    rows = [row for comparison in comparisons for row in _rows(comparison, level)]
    rows += [{"unit": PATIENTS, "test": BOOTSTRAP, **row} for row in measured]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    table[TEXTS] = table[TEXTS].fillna("")
    return _corrected(table)


def statistics_lines(table: pd.DataFrame) -> list[str]:
    """Say for each study in how many conditions seeds and patients agree on a difference.

    Parameters
    ----------
    table
        Result of :func:`statistics_table`.
    """
    lines = []
    for (study, metric), rows in table.groupby(["study", "metric"], sort=False):
        patients = rows[(rows["unit"] == PATIENTS) & (rows["note"] == "")]
        if patients.empty:
            reasons = "; ".join(dict.fromkeys(rows["note"]) - {"": None}.keys())
            lines.append(f"{study}, {metric}: no comparison, {reasons}")
            continue
        apart = (patients["difference_low"] > 0) | (patients["difference_high"] < 0)
        line = (
            f"{study}, {metric}: of {len(patients)} differences {apart.sum()} have an interval over "
            f"patients without zero"
        )
        tests = rows[rows["test"] == PAIRED_T]
        if len(tests):
            line += f"; over seeds alone, {(tests['p_holm'] < 0.05).sum()} have p < 0.05 (Holm)"
        lines.append(line)
    return lines


def _rows(comparison: Comparison, level: float) -> Iterable[dict[str, Any]]:
    if comparison.note:
        yield {**comparison.keys, "note": comparison.note}
        return
    sizes = {"n_repeats": comparison.n_repeats, "n_patients": comparison.n_patients}
    of_seeds = {**comparison.keys, "unit": REPEATS, **sizes}
    of_patients = {**comparison.keys, "unit": PATIENTS, "test": BOOTSTRAP, **sizes}
    scores = comparison.scores
    if comparison.n_repeats > 1:
        by_repeat = {name: score.by_repeat for name, score in scores.items()}
        yield {**of_seeds, "test": ANOVA, **repeated_measures_anova(by_repeat)}
        for treatment, reference in comparison.pairs:
            tested = paired_t_test(by_repeat[treatment], by_repeat[reference])
            effect = _effect(scores, treatment, reference)
            yield {**of_seeds, "test": PAIRED_T, **effect, **tested}
    for treatment, reference in comparison.pairs:
        difference = scores[treatment] - scores[reference]
        if len(difference.by_sample):
            yield {
                **of_patients,
                **_effect(scores, treatment, reference),
                **difference.columns("difference", level),
                "share_above_zero": share_above_zero(difference.by_sample),
            }


def _effect(scores: Mapping[str, Score], treatment: str, reference: str) -> dict[str, Any]:
    difference = scores[treatment] - scores[reference]
    return {
        "treatment": treatment,
        "reference": reference,
        "difference_mean": difference.mean,
        "difference_std": difference.std,
    }


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    from statsmodels.stats.multitest import multipletests

    tested = table[table["p"].notna()]
    is_mean = tested["condition"].str.endswith(MEAN_OF_PATTERNS)
    for _, family in tested.groupby(["study", "test", is_mean]):
        for method in ("holm", "bonferroni"):
            table.loc[family.index, f"p_{method}"] = multipletests(family["p"], method=method)[1]
        table.loc[family.index, "n_tests"] = len(family)
    return table.astype(dict.fromkeys(SIZES, "Int64"))
