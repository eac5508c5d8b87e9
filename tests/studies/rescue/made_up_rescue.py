"""Scores of the rescue study that are known exactly."""

import numpy as np
import pandas as pd

from tcga_coherent.downstream.classification import ClassOutcomes
from tcga_coherent.downstream.profiles import GENERATORS, IMPUTATIONS, removal_patterns
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.downstream.tasks.survival import SurvivalOutcomes
from tcga_coherent.measures.score import Score
from tcga_coherent.source_sets import join_sources
from tcga_coherent.studies.rescue.experiment import POOLINGS, Cell
from tcga_coherent.studies.rescue.scores import FULL, MEAN_OF_PATTERNS, Scores

MODALITIES = ("cna", "rnaseq", "rppa")
# What each way to complete gives back of what ablation costs.
RECOVERED = {
    "mean": 0.0,
    "knn": 0.5,
    "ridge": 0.25,
    "ridge_features": 0.3,
    "multi": 0.75,
    "coherent": 1.0,
}
FULL_SCORE, COST, CANCER_TYPE_SCORE = 0.7, 0.2, 0.6


def score(mean: float, std: float = 0.0, half_width: float = 0.0) -> Score:
    """Return a score with this mean, standard deviation over repeats and interval of all samples."""
    return Score(
        mean + std * np.array([-1.0, 0.0, 1.0]), mean + half_width * np.linspace(-1, 1, 201)
    )


def made_up_scores(tasks: tuple[str, ...] = ("stage", "survival")) -> Scores:
    """Return scores in which the removal of expression costs and that of nothing else does."""
    return {task: {metric: _cells(metric) for metric in TASKS[task].metrics} for task in tasks}


def made_up_tasks(reasons: dict[str, str] | None = None) -> PossibleTasks:
    """Return tasks of four test patients, without those that have a reason."""
    patients = pd.Index(list("abcd"), name="patient_id")
    stages = pd.Series(["I", "I", "II", "II"], patients)
    survival = pd.DataFrame({"event": True, "days": [1.0, 2.0, 3.0, 4.0]}, index=patients)
    possible = {
        "stage": ClassOutcomes(stages, stages),
        "survival": SurvivalOutcomes(survival, survival, 1.0),
    }
    reasons = reasons or {}
    return PossibleTasks({n: t for n, t in possible.items() if n not in reasons}, reasons)


def _cells(metric: str) -> dict[Cell, Score]:
    sign = -1 if metric == "integrated_brier" else 1
    cells = {
        FULL: score(FULL_SCORE),
        Cell("none", "modality_dropout", "point"): score(FULL_SCORE),
        Cell("all", "cancer_type", "point"): score(CANCER_TYPE_SCORE),
    }
    names = [join_sources(removed) for removed in removal_patterns(MODALITIES)]
    for name in [*names, MEAN_OF_PATTERNS]:
        cost = sign * COST if "rnaseq" in name or name == MEAN_OF_PATTERNS else 0.0
        ablation = FULL_SCORE - cost
        ways = {"ablation": 0.0, "modality_dropout": 0.1, **RECOVERED}
        for method, share in ways.items():
            poolings = POOLINGS if method in GENERATORS else ("point",)
            for pooling in poolings:
                cells[Cell(name, method, pooling)] = score(ablation + share * cost)
    assert set(IMPUTATIONS) <= set(ways)
    return cells
