"""Table 2: what removal costs, what completion gains, and which of it the patients tell for sure."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tcga_coherent.downstream.profiles import ABLATION, GENERATORS
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.measures.bootstrap import central_interval
from tcga_coherent.measures.score import PARTS, Score
from tcga_coherent.reported import ReportedRescue
from tcga_coherent.studies.rescue.experiment import ALL_REMOVED, NONE_REMOVED, POINT, Cell
from tcga_coherent.studies.rescue.scores import FULL, Scores, gain

KEY = ["task", "metric", "removed", "method", "pooling"]
QUANTITIES = ("score", "drop_from_full", "gain_over_ablation", "share_of_drop_recovered")
PAPER = [
    f"paper_{quantity}_{part}"
    for quantity in ("drop_from_full", "gain_over_ablation")
    for part in ("mean", "std")
]


def rescue_table(
    scores: Scores, tasks: PossibleTasks, reported: Sequence[ReportedRescue], level: float
) -> pd.DataFrame:
    """Put the scores of all cells beside what they change.

    Parameters
    ----------
    scores
        Result of :func:`tcga_coherent.studies.rescue.scores.score_rescue`.
    tasks
        The tasks, with the reasons of those that were skipped.
    reported
        The paper's Table 2: single draws, and another cohort.
    level
        Share of the bootstrap samples that an interval holds.

    Returns
    -------
    DataFrame
        One row a ``task``, ``metric``, ``removed`` (``none``: full data; ``all``: the cancer type
        alone is known; ``mean of patterns``), ``method`` and ``pooling``. Columns ``score_*``;
        ``drop_from_full_*``, below zero where the full data are better; ``gain_over_ablation_*``,
        above zero where ablation is worse; ``share_of_drop_recovered_*``, where 1 is all that
        ablation costs. ``_mean`` and ``_std`` are over repeats, ``_low`` and ``_high`` the interval
        of the mean over patients. Differences are signed so that more is better, of errors too. A
        share has no value where ablation costs no more than its spread over repeats, and no interval
        where it costs nothing in some bootstrap samples that lie in the interval. ``paper_*``: what
        the paper reports. ``n_patients`` test patients. ``note``: why a task has no scores.
    """
    rows = [
        {
            **dict(zip(KEY, (task, metric, *cell), strict=True)),
            **_differences(cell, cells, metric, level),
            **_reported(task, metric, cell, reported),
            "n_patients": len(tasks.possible[task].test),
            "note": "",
        }
        for task, metrics in scores.items()
        for metric, cells in metrics.items()
        for cell in cells
    ]
    for task, reason in tasks.reasons.items():
        rows.append({"task": task, "metric": TASKS[task].headline, "n_patients": 0, "note": reason})
    spread = [f"{quantity}_{part}" for quantity in QUANTITIES for part in PARTS]
    table = pd.DataFrame(rows, columns=[*KEY, *spread, *PAPER, "n_patients", "note"])
    table[KEY] = table[KEY].fillna("")
    return table


def headline_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the headline metric of each task: Table 2."""
    headline = table["task"].map(lambda task: TASKS[task].headline)
    return table[table["metric"] == headline].reset_index(drop=True)


def held_out_losses(table: pd.DataFrame, task: str) -> dict[str, dict[str, Any]]:
    """Return what completing costs the predictions of held-out patients, pattern by pattern.

    Parameters
    ----------
    table
        Result of :func:`headline_rows`.
    task
        Name of a task.

    Returns
    -------
    dict
        ``<method>/<removed>`` to the score of complete patients, that of patients who lack modalities and are predicted
        by pooling over their draws, and its difference from the former, below zero where completing costs, with
        its interval over patients.
    """
    rows = table[(table["task"] == task) & table["score_mean"].notna()].to_dict("records")
    full = [row for row in rows if Cell(*(row[name] for name in Cell._fields)) == FULL]
    nothing = dict.fromkeys([f"drop_from_full_{part}" for part in ("mean", "low", "high")], 0.0)
    whole = [{**row, **nothing, "method": method} for row in full for method in GENERATORS]
    pooled = [row for row in rows if row["pooling"] == "multiple"]
    return {
        f"{row['method']}/{row['removed']}": {
            "metric": row["metric"],
            "held_out_complete": full[0]["score_mean"],
            "held_out_score": row["score_mean"],
            "held_out_change": row["drop_from_full_mean"],
            "held_out_change_low": row["drop_from_full_low"],
            "held_out_change_high": row["drop_from_full_high"],
            "held_out_patients": float(row["n_patients"]),
        }
        for row in whole + pooled
    }


def ablation_of(cell: Cell) -> Cell:
    """Return the cell in which the same modalities are left missing."""
    return Cell(cell.removed, ABLATION, POINT)


def _differences(
    cell: Cell, cells: Mapping[Cell, Score], metric: str, level: float
) -> dict[str, float]:
    score = cells[cell]
    values = score.columns("score", level)
    if cell == FULL:
        return values
    values |= gain(score, cells[FULL], metric).columns("drop_from_full", level)
    if cell.removed in (NONE_REMOVED, ALL_REMOVED) or cell == ablation_of(cell):
        return values
    ablation = cells[ablation_of(cell)]
    gained = gain(score, ablation, metric)
    lost = gain(cells[FULL], ablation, metric)
    values |= gained.columns("gain_over_ablation", level)
    if lost.mean > lost.std:
        values |= _share(gained, lost, level)
    return values


def _share(gained: Score, lost: Score, level: float) -> dict[str, float]:
    name = "share_of_drop_recovered"
    values = {f"{name}_mean": gained.mean / lost.mean}
    if (lost.by_repeat > 0).all():
        values[f"{name}_std"] = float((gained.by_repeat / lost.by_repeat).std(ddof=1))
    if lost.interval(level)[0] > 0:
        positive = lost.by_sample > 0
        shares = gained.by_sample[positive] / lost.by_sample[positive]
        values[f"{name}_low"], values[f"{name}_high"] = central_interval(shares, level)
    return values


def _reported(
    task: str, metric: str, cell: Cell, reported: Sequence[ReportedRescue]
) -> dict[str, float]:
    if metric != TASKS[task].headline or not TASKS[task].reported:
        return {}
    for row in reported:
        if row.removed != cell.removed:
            continue
        if cell.method == ABLATION:
            ours, theirs = "drop_from_full", "ablation_drop"
        elif cell.pooling == "draw":
            ours, theirs = "gain_over_ablation", f"gain_{cell.method}"
        else:
            continue
        return {
            f"paper_{ours}_{part}": getattr(row, f"{TASKS[task].reported}_{theirs}_{part}")
            for part in ("mean", "std")
        }
    return {}
