"""Scores of the rescue study: over repeats of the forests, and over bootstrap samples of patients.

Every score is that of a repeat, averaged over repeats. A bootstrap sample holds the same patients for
every cell, so that differences between cells are paired.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.downstream.tasks import TASKS, less_is_better
from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.measures.score import Score
from tcga_coherent.studies.rescue.experiment import ALL_REMOVED, NONE_REMOVED, POINT, REAL, Cell

FULL = Cell(NONE_REMOVED, REAL, POINT)
# A row of its own: the mean over all patterns.
MEAN_OF_PATTERNS = "mean of patterns"


Scores = Mapping[str, Mapping[str, Mapping[Cell, Score]]]


# Of products this small, threads wait for each other longer than they compute.
@threadpool_limits.wrap(limits=1)
def score_rescue(
    predictions: pd.DataFrame, tasks: PossibleTasks, bootstrap: BootstrapParameters, seed: int
) -> Scores:
    """Score all cells.

    Parameters
    ----------
    predictions
        Results of :func:`tcga_coherent.studies.rescue.experiment.predict_repeat` with the column
        ``repeat``.
    tasks
        The tasks that were predicted.
    bootstrap, seed
        Settings and seed of the bootstrap samples of the patients.

    Returns
    -------
    dict
        Task to its metrics to cell to score. Besides the cells of the predictions
        there is one of the removed :data:`MEAN_OF_PATTERNS` for each method and pooling.
    """
    scores: dict[str, dict[str, dict[Cell, Score]]] = {}
    for name, outcomes in tasks.possible.items():
        own = predictions[predictions["task"] == name]
        patients = outcomes.test.index
        counts = resample_patients(len(patients), bootstrap.repeats, seed)
        by_metric: dict[str, dict[Cell, Score]] = {metric: {} for metric in TASKS[name].metrics}
        for key, rows in own.groupby(list(Cell._fields), observed=True, sort=False):
            repeats = [
                part.set_index("patient_id").loc[patients] for _, part in rows.groupby("repeat")
            ]
            for metric, score in outcomes.scores(repeats, counts).items():
                by_metric[metric][Cell(*map(str, key))] = score
        scores[name] = {
            metric: cells | _over_patterns(cells) for metric, cells in by_metric.items()
        }
    return scores


def gain(better: Score, worse: Score, metric: str) -> Score:
    """Return by how much one score is better than another; negative where it is worse."""
    return worse - better if less_is_better(metric) else better - worse


def rescue_scores_by_repeat(scores: Scores) -> pd.DataFrame:
    """Return the scores of every repeat as a tidy table.

    Parameters
    ----------
    scores
        Result of :func:`score_rescue`.

    Returns
    -------
    DataFrame
        ``task``, ``metric``, ``removed``, ``method``, ``pooling``, ``repeat``, ``value``.
    """
    rows = [
        {"task": task, "metric": metric, **cell._asdict(), "repeat": repeat, "value": value}
        for task, metrics in scores.items()
        for metric, cells in metrics.items()
        for cell, score in cells.items()
        if cell.removed != MEAN_OF_PATTERNS
        for repeat, value in enumerate(score.by_repeat)
    ]
    return pd.DataFrame(rows, columns=["task", "metric", *Cell._fields, "repeat", "value"])


def _over_patterns(cells: Mapping[Cell, Score]) -> dict[Cell, Score]:
    """Average each method and pooling over the patterns."""
    members: dict[Cell, list[Score]] = {}
    for cell, score in cells.items():
        if cell.removed not in (NONE_REMOVED, ALL_REMOVED):
            members.setdefault(cell._replace(removed=MEAN_OF_PATTERNS), []).append(score)
    return {
        cell: Score(
            np.mean([score.by_repeat for score in scores], axis=0),
            np.mean([score.by_sample for score in scores], axis=0),
        )
        for cell, scores in members.items()
    }
