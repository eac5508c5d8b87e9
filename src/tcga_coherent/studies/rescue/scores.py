"""Scores of the rescue study: over repeats of the forests, and over bootstrap samples of patients.

Every score is that of a repeat, averaged over repeats. A bootstrap sample holds the same patients for
every cell, so that differences between cells are paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tcga_coherent.downstream.tasks import RescueTasks, StageTask, SurvivalTask, Task
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.classification_scores import class_scores
from tcga_coherent.measures.concordance import concordant_pairs
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.survival_scores import PairScore, pair_scores
from tcga_coherent.studies.rescue.experiment import (
    ALL_REMOVED,
    NONE_REMOVED,
    POINT,
    REAL,
    Cell,
)

# The first of each task is the headline.
METRICS = {
    "stage": ("macro_f1", "balanced_accuracy"),
    "survival": ("c_index", "c_index_ipcw", "auc", "integrated_brier"),
}
HEADLINE = {task: metrics[0] for task, metrics in METRICS.items()}
# Scores of which less is better.
ERRORS = frozenset({"integrated_brier"})

FULL = Cell(NONE_REMOVED, REAL, POINT)
# A row of its own: the mean over all patterns.
MEAN_OF_PATTERNS = "mean of patterns"


@dataclass(frozen=True)
class Score:
    """A score, or a difference of two.

    Attributes
    ----------
    by_repeat
        Its value in each repeat.
    resampled
        Its mean over repeats in each bootstrap sample of the patients.
    """

    by_repeat: Array
    resampled: Array

    def __sub__(self, other: "Score") -> "Score":
        """Return the paired difference."""
        return Score(self.by_repeat - other.by_repeat, self.resampled - other.resampled)

    @property
    def mean(self) -> float:
        """Mean over repeats."""
        return float(self.by_repeat.mean())

    @property
    def std(self) -> float:
        """Standard deviation over repeats."""
        return float(self.by_repeat.std(ddof=1))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the central interval over patients; NaN where it is not defined."""
        low, high = central_interval(self.resampled, level)
        return float(low), float(high)


Scores = Mapping[str, Mapping[str, Mapping[Cell, Score]]]


# Of products this small, threads wait for each other longer than they compute.
@threadpool_limits.wrap(limits=1)
def score_rescue(
    predictions: pd.DataFrame, tasks: RescueTasks, bootstrap: BootstrapParameters, seed: int
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
        Task to metric of :data:`METRICS` to cell to score. Besides the cells of the predictions
        there is one of the removed :data:`MEAN_OF_PATTERNS` for each method and pooling.
    """
    scores: dict[str, dict[str, dict[Cell, Score]]] = {}
    for name, task in tasks.possible.items():
        own = predictions[predictions["task"] == name]
        counts = resample_patients(len(task.test), bootstrap.repeats, seed)
        pairs = pair_scores(task.train, task.test) if isinstance(task, SurvivalTask) else {}
        by_metric: dict[str, dict[Cell, Score]] = {metric: {} for metric in METRICS[name]}
        for key, rows in own.groupby(list(Cell._fields), observed=True, sort=False):
            for metric, score in _score_cell(rows, task, pairs, counts).items():
                by_metric[metric][Cell(*map(str, key))] = score
        scores[name] = {
            metric: cells | _over_patterns(cells) for metric, cells in by_metric.items()
        }
    return scores


def gain(better: Score, worse: Score, metric: str) -> Score:
    """Return by how much one score is better than another; negative where it is worse."""
    return worse - better if metric in ERRORS else better - worse


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


def _score_cell(
    rows: pd.DataFrame, task: Task, pairs: Mapping[str, PairScore], counts: Counts
) -> dict[str, Score]:
    patients = task.test.index
    by_repeat = [part.set_index("patient_id").loc[patients] for _, part in rows.groupby("repeat")]
    if isinstance(task, StageTask):
        classes = [part["predicted"].to_numpy(object) for part in by_repeat]
        return _score_stages(classes, task.test.to_numpy(object), counts)
    risks = [part["risk"].to_numpy() for part in by_repeat]
    briers = np.stack([part["integrated_brier"].to_numpy() for part in by_repeat])
    resampled = counts @ briers.mean(axis=0) / len(patients)
    return _score_risks(risks, task, pairs, counts) | {
        "integrated_brier": Score(briers.mean(axis=1), resampled)
    }


def _score_stages(
    predicted: list[np.ndarray], truth: np.ndarray, counts: Counts
) -> dict[str, Score]:
    own = [class_scores(truth, classes) for classes in predicted]
    resampled = [class_scores(truth, classes, counts) for classes in predicted]
    return {
        metric: Score(
            np.array([getattr(score, metric)[0] for score in own]),
            np.mean([getattr(score, metric) for score in resampled], axis=0),
        )
        for metric in METRICS["stage"]
    }


def _score_risks(
    risks: list[Array], task: SurvivalTask, pairs: Mapping[str, PairScore], counts: Counts
) -> dict[str, Score]:
    concordant = [concordant_pairs(risk[task.test["event"].to_numpy()], risk) for risk in risks]
    # The weights are the same in every repeat, so the mean score is that of the mean pairs.
    mean = np.mean(concordant, axis=0)
    return {
        metric: Score(
            np.array([score.value(repeat)[0] for repeat in concordant]), score.value(mean, counts)
        )
        for metric, score in pairs.items()
    }


def _over_patterns(cells: Mapping[Cell, Score]) -> dict[Cell, Score]:
    """Average each method and pooling over the patterns."""
    members: dict[Cell, list[Score]] = {}
    for cell, score in cells.items():
        if cell.removed not in (NONE_REMOVED, ALL_REMOVED):
            members.setdefault(cell._replace(removed=MEAN_OF_PATTERNS), []).append(score)
    return {
        cell: Score(
            np.mean([score.by_repeat for score in scores], axis=0),
            np.mean([score.resampled for score in scores], axis=0),
        )
        for cell, scores in members.items()
    }
