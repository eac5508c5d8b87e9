"""Does ablation cost, does completion gain, and is it more than simple imputation: yes or no."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from tcga_coherent.downstream.profiles import ABLATION, GENERATORS, IMPUTATIONS
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.measures.score import Score
from tcga_coherent.studies.rescue.experiment import (
    ALL_REMOVED,
    CANCER_TYPE,
    MODALITY_DROPOUT,
    NONE_REMOVED,
    POINT,
    POOLINGS,
    Cell,
    Pooling,
)
from tcga_coherent.studies.rescue.scores import FULL, MEAN_OF_PATTERNS, Scores, gain

BEST_SIMPLE = "best simple imputation"
CANCER_TYPE_ALONE = Cell(ALL_REMOVED, CANCER_TYPE, POINT)
COLUMNS = [
    "task",
    "metric",
    "removed",
    "method",
    "pooling",
    "against",
    "against_method",
    "difference_mean",
    "difference_std",
    "difference_low",
    "difference_high",
    "more_than_spread_of_repeats",
    "interval_of_patients_above_zero",
    "verdict",
    "n_patients",
    "note",
]


def rescue_verdict(scores: Scores, tasks: PossibleTasks, level: float) -> pd.DataFrame:
    """Ask of every pattern whether one way is better than another.

    Parameters
    ----------
    scores
        Result of :func:`tcga_coherent.studies.rescue.scores.score_rescue`.
    tasks
        The tasks, with the reasons of those that were skipped.
    level
        Share of the bootstrap samples that an interval holds.

    Returns
    -------
    DataFrame
        One row a ``task``, ``removed``, ``method``, ``pooling`` and ``against``, with their
        difference in the headline ``metric``. Measured data (``real``) are held against ablation, and
        against the cancer type alone; generators against ablation, the best simple imputation of the
        pattern on these test patients (``against_method``) and forests trained with modality dropout;
        ``coherent`` against ``multi``. ``more_than_spread_of_repeats``: the mean over repeats is above
        the standard deviation. ``interval_of_patients_above_zero``: the bootstrap interval of the mean
        is. ``verdict``: ``yes`` where both are so, ``no`` where the mean is not above zero, otherwise
        ``undecided``. The intervals are of single comparisons.
    """
    rows: list[dict[str, Any]] = []
    for task, metrics in scores.items():
        metric = TASKS[task].headline
        cells = metrics[metric]
        for cell, against, other in _comparisons(cells):
            rows.append(
                {
                    "task": task,
                    "metric": metric,
                    "removed": cell.removed if other != CANCER_TYPE_ALONE else NONE_REMOVED,
                    "method": cell.method,
                    "pooling": cell.pooling,
                    "against": against,
                    "against_method": other.method,
                    **_judge(gain(_score(cells, cell), cells[other], metric), level),
                    "n_patients": len(tasks.possible[task].test),
                    "note": "",
                }
            )
    for task, reason in tasks.reasons.items():
        rows.append({"task": task, "metric": TASKS[task].headline, "n_patients": 0, "note": reason})
    table = pd.DataFrame(rows, columns=COLUMNS)
    words = [name for name in COLUMNS if not name.startswith(("difference", "n_patients"))]
    return table.fillna(dict.fromkeys(words, ""))


def rescue_lines(table: pd.DataFrame, pooling: Pooling) -> list[str]:
    """Sum up a table of :func:`rescue_verdict` in sentences, for one pooling of the generators."""
    lines = []
    for task, rows in table[table["note"] == ""].groupby("task", sort=False):
        patterns = rows[~rows["removed"].isin((NONE_REMOVED, MEAN_OF_PATTERNS))]
        costs = patterns[patterns["against"] == ABLATION]
        costs = costs[costs["method"] == FULL.method]
        costly = costs[costs["more_than_spread_of_repeats"] == "yes"]
        sure = (costly["verdict"] == "yes").sum()
        lines.append(
            f"{task}: leaving modalities missing costs more than its spread over repeats in "
            f"{len(costly)} of {len(costs)} patterns (in {sure} also by the interval over patients)"
        )
        for method in GENERATORS:
            own = patterns[
                (patterns["method"] == method)
                & (patterns["pooling"] == pooling)
                & patterns["removed"].isin(costly["removed"])
            ]
            lines.append(f"{task}: there, {_gains(own, method, pooling)}")
        average = rows[(rows["removed"] == MEAN_OF_PATTERNS) & (rows["pooling"] == pooling)]
        for _, row in average[average["against"] == BEST_SIMPLE].iterrows():
            lines.append(
                f"{task}: mean of all patterns, {row['method']} ({pooling}) against "
                f"{row['against_method']}: {_difference(row)}"
            )
        beyond = rows[rows["against"] == CANCER_TYPE].iloc[0]
        lines.append(
            f"{task}: do complete data tell more than the cancer type alone? {beyond['verdict']} "
            f"({_difference(beyond)})"
        )
    for _, row in table[table["note"] != ""].iterrows():
        lines.append(f"{row['task']}: skipped, as {row['note']}")
    return lines


def _comparisons(cells: Mapping[Cell, Score]) -> Iterator[tuple[Cell, str, Cell]]:
    """Yield the cell in question, what it is held against in words, and the cell of that."""
    yield FULL, CANCER_TYPE, CANCER_TYPE_ALONE
    patterns = dict.fromkeys(cell.removed for cell in cells if cell.method == ABLATION)
    for removed in patterns:
        ablation = Cell(removed, ABLATION, POINT)
        simple = [Cell(removed, method, POINT) for method in IMPUTATIONS]
        best = max(simple, key=lambda cell: cells[cell].mean)
        yield FULL._replace(removed=removed), ABLATION, ablation
        yield best, ABLATION, ablation
        for pooling in POOLINGS:
            for method in GENERATORS:
                cell = Cell(removed, method, pooling)
                yield cell, ABLATION, ablation
                yield cell, BEST_SIMPLE, best
                yield cell, MODALITY_DROPOUT, Cell(removed, MODALITY_DROPOUT, POINT)
            multi, coherent = (Cell(removed, method, pooling) for method in GENERATORS)
            yield coherent, "multi", multi


def _score(cells: Mapping[Cell, Score], cell: Cell) -> Score:
    # Full data are the same for every pattern.
    return cells[FULL] if cell.method == FULL.method else cells[cell]


def _judge(difference: Score, level: float) -> dict[str, Any]:
    over_repeats = difference.mean > difference.std
    over_patients = difference.interval(level)[0] > 0
    if difference.mean <= 0:
        verdict = "no"
    else:
        verdict = "yes" if over_repeats and over_patients else "undecided"
    return {
        **difference.columns("difference", level),
        "more_than_spread_of_repeats": "yes" if over_repeats else "no",
        "interval_of_patients_above_zero": "yes" if over_patients else "no",
        "verdict": verdict,
    }


def _difference(row: pd.Series) -> str:
    return (
        f"{row['difference_mean']:+.3f}, interval over patients {row['difference_low']:+.3f} to "
        f"{row['difference_high']:+.3f}"
    )


def _gains(own: pd.DataFrame, method: str, pooling: str) -> str:
    over_ablation = own[own["against"] == ABLATION]
    over_simple = own[own["against"] == BEST_SIMPLE]
    positive = over_ablation["difference_mean"] > 0
    more = over_ablation["more_than_spread_of_repeats"] == "yes"
    sure = over_ablation["verdict"] == "yes"
    text = (
        f"{method} ({pooling}) gains in {positive.sum()} of {len(over_ablation)} patterns, "
        f"in {more.sum()} more than its spread over repeats, in {sure.sum()} also by the interval over "
        f"patients; it is above the best simple imputation in "
        f"{(over_simple['difference_mean'] > 0).sum()}, by both spreads in "
        f"{(over_simple['verdict'] == 'yes').sum()}"
    )
    without = list(over_ablation.loc[~positive, "removed"])
    return text + (f"; no gain where {', '.join(without)} is missing" if without else "")
