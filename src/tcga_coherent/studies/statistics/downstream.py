"""What rescue and acquisition bring to the tests: scores by repeat and by sample of patients.

The treatment that others are held against comes first.
"""

from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.downstream.profiles import ABLATION, GENERATORS
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.measures.score import Score
from tcga_coherent.measures.statistical_tests import Comparison
from tcga_coherent.studies.rescue.experiment import POINT, REAL, Cell, Pooling
from tcga_coherent.studies.rescue.scores import FULL, score_rescue

RESCUE, ACQUISITION = "rescue", "acquisition"
METRIC_OF_POOLING = {"draw": "of_draws", "mean_of_draws": "of_mean", "multiple": "of_multiple"}
STRATEGIES = ("random", "multi", "coherent", "coherent_expected_change")


def rescue_comparisons(
    predictions: pd.DataFrame,
    tasks: PossibleTasks,
    pooling: Pooling,
    bootstrap: BootstrapParameters,
    seed: int,
) -> list[Comparison]:
    """Compare what forests score without modalities, with generated ones, and with all.

    Parameters
    ----------
    predictions
        Results of :func:`tcga_coherent.studies.rescue.experiment.predict_repeat` with the column ``repeat``.
    tasks
        The tasks, with the reasons of those that were skipped.
    pooling
        How the draws become one prediction; it is part of the names of the metrics.
    bootstrap, seed
        Samples of the patients.
    """
    inputs = {ABLATION: POINT, **dict.fromkeys(GENERATORS, pooling)}
    wanted = [
        predictions["method"].eq(method) & predictions["pooling"].eq(kind)
        for method, kind in (inputs | {REAL: POINT}).items()
    ]
    scores = score_rescue(predictions[np.logical_or.reduce(wanted)], tasks, bootstrap, seed)
    comparisons = [
        Comparison(RESCUE, task, TASKS[task].headline, note=reason)
        for task, reason in tasks.reasons.items()
    ]
    for task, by_metric in scores.items():
        cells = by_metric[TASKS[task].headline]
        for removed in dict.fromkeys(cell.removed for cell in cells if cell != FULL):
            compared = {
                method: cells[Cell(removed, method, kind)] for method, kind in inputs.items()
            }
            compared[REAL] = cells[FULL]
            comparisons.append(
                Comparison(
                    RESCUE,
                    f"{task} without {removed}",
                    f"{TASKS[task].headline}_{METRIC_OF_POOLING[pooling]}",
                    compared,
                    len(tasks.possible[task].test),
                )
            )
    return comparisons


def acquisition_comparisons(curves: pd.DataFrame) -> list[Comparison]:
    """Compare the mean height of acquisition curves over repeats.

    Parameters
    ----------
    curves
        Result of :func:`tcga_coherent.studies.prioritisation.table.curves_by_repeat`.

    Returns
    -------
    list
        Without samples of patients: see :func:`acquisition_differences`.
    """
    comparisons = []
    for (task, modality, unacquired), own in curves.groupby(
        ["task", "modality", "unacquired"], sort=False
    ):
        heights = own.groupby(["strategy", "repeat"])["score"].mean()
        # Their intervals over patients are those of the table of areas.
        none = np.empty(0)
        scores = {name: Score(heights[name].to_numpy(), none) for name in STRATEGIES}
        comparisons.append(
            Comparison(
                ACQUISITION, _acquisition(str(task), str(modality), str(unacquired)), "area", scores
            )
        )
    return comparisons


def acquisition_differences(areas: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the areas between the curves of a strategy and of random order, over patients.

    Parameters
    ----------
    areas
        Result of :func:`tcga_coherent.studies.prioritisation.table.area_table`.

    Returns
    -------
    list of dict
        Rows of :func:`tcga_coherent.studies.statistics.table.statistics_table`.
    """
    rows: list[dict[str, Any]] = []
    # A file does not tell an empty note from none.
    for area in areas.assign(note=areas["note"].fillna("")).to_dict("records"):
        keys = {"study": ACQUISITION, "metric": "area"}
        if area["note"]:
            condition = f"{area['task']}, {area['modality']}"
            rows.append({**keys, "condition": condition, "note": area["note"]})
        elif area["strategy"] in STRATEGIES:
            rows.append(
                {
                    **keys,
                    "condition": _acquisition(area["task"], area["modality"], area["unacquired"]),
                    "treatment": area["strategy"],
                    "reference": "random",
                    "difference_mean": area["area_mean"],
                    "difference_std": area["area_std"],
                    "difference_low": area["area_low"],
                    "difference_high": area["area_high"],
                    "share_above_zero": area["p_above_random"],
                    "n_patients": area["n_patients"],
                }
            )
    return rows


def _acquisition(task: str, modality: str, unacquired: str) -> str:
    return f"{task}, {modality}, else {unacquired}"
