"""The table of Figure 2: what classifiers score on measured and on generated modalities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.classification import METRICS, score_classes
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.downstream.tasks import CLASS_TASKS
from tcga_coherent.measures.bootstrap import BootstrapParameters, Counts, resample_patients
from tcga_coherent.measures.score import PARTS, Score
from tcga_coherent.studies.signal.claims import ReportedClaim
from tcga_coherent.studies.signal.experiment import CHANCE, INPUTS, REAL, labelled_patients

KEY = ["task", "modality", "method", "input"]
SCORES = [
    f"{metric}{of}_{part}"
    for metric in METRICS
    for of in ("", "_difference_to_real")
    for part in PARTS
]
SIZES = ["n_patients", "n_train", "n_classes", "n_train_classes"]
Key = tuple[str, str]


def signal_table(
    predictions: pd.DataFrame,
    cohort: Cohort,
    clinical: pd.DataFrame,
    bootstrap: BootstrapParameters,
    reported: Sequence[ReportedClaim],
    seed: int,
) -> pd.DataFrame:
    """Score the predictions of all repeats.

    Parameters
    ----------
    predictions
        Results of :func:`tcga_coherent.studies.signal.experiment.predict_repeat` with the column ``repeat``.
    cohort, clinical
        Latents and splits; clinical table.
    bootstrap
        Settings of the intervals over test patients.
    reported
        What the paper says, put beside the rows it is of.
    seed
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row a ``task``, ``modality``, ``method`` and ``input`` (``real``; ``prediction`` of a
        baseline; single ``draw`` or ``mean_of_draws`` of a generator; ``guess`` without data). Of
        ``macro_f1``, ``balanced_accuracy`` and the ``*_difference_to_real``: ``_mean`` and ``_std``
        over repeats, ``_low`` and ``_high`` of the mean over bootstrap samples of the patients, the
        same samples for both sides of a difference. ``note``: why a task cannot be judged.
    """
    rows: list[dict[str, Any]] = []
    for task in CLASS_TASKS:
        for modality in cohort.modalities:
            key = {"task": task, "modality": modality}
            try:
                train, test = labelled_patients(task, modality, cohort, clinical)
            except CannotEvaluate as reason:
                rows.append({**key, "method": "", "input": "", "note": str(reason)})
                continue
            sizes = {
                "n_patients": len(test),
                "n_train": len(train),
                "n_classes": test.nunique(),
                "n_train_classes": train.nunique(),
            }
            own = predictions[(predictions["task"] == task) & (predictions["modality"] == modality)]
            scores = cell_scores(own, test, resample_patients(len(test), bootstrap.repeats, seed))
            for method, kind in (*INPUTS, *CHANCE):
                summary = _summary(scores, (method, kind), bootstrap.level)
                rows.append(
                    {**key, "method": method, "input": kind, **summary, **sizes, "note": ""}
                )
    # Without a single task that can be judged there are scores in no row.
    table = pd.DataFrame(rows, columns=[*KEY, *SCORES, *SIZES, "note"])
    return _beside_reported(table, reported)


def cell_scores(
    predictions: pd.DataFrame, truth: pd.Series, counts: Counts
) -> dict[str, dict[Key, Score]]:
    """Score every input of one task and modality.

    Parameters
    ----------
    predictions
        Rows of one task and modality.
    truth
        Class of each test patient.
    counts
        How often each patient is drawn in each bootstrap sample, samples x patients.

    Returns
    -------
    dict
        Metric to method and input to score.
    """
    classes = truth.to_numpy(str)
    scores: dict[str, dict[Key, Score]] = {metric: {} for metric in METRICS}
    for (method, kind), own in predictions.groupby(["method", "input"], sort=False):
        repeats = [
            repeat.set_index("patient_id")["predicted"].loc[truth.index].to_numpy(str)
            for _, repeat in own.groupby("repeat")
        ]
        for metric, score in score_classes(classes, repeats, counts).items():
            scores[metric][str(method), str(kind)] = score
    return scores


def signal_lines(table: pd.DataFrame) -> list[str]:
    """Say in a line for each task and modality what is left of the measured macro F1.

    Parameters
    ----------
    table
        Result of :func:`signal_table`.
    """
    lines = []
    for (task, modality), rows in table.groupby(["task", "modality"], sort=False):
        if rows["note"].iloc[0]:
            lines.append(f"{task} from {modality}: skipped, {rows['note'].iloc[0]}")
            continue
        f1 = rows.set_index(["method", "input"])["macro_f1_mean"]
        lines.append(
            f"{task} from {modality}, macro F1: measured {f1[REAL]:.3f}, one draw of coherent "
            f"{f1['coherent', 'draw']:.3f} and of multi {f1['multi', 'draw']:.3f}, guessing "
            f"{f1['stratified', 'guess']:.3f}"
        )
    return lines


def _summary(scores: dict[str, dict[Key, Score]], key: Key, level: float) -> dict[str, float]:
    summary: dict[str, float] = {}
    for metric in METRICS:
        own, real = scores[metric][key], scores[metric][REAL]
        summary |= own.columns(metric, level)
        if key != REAL:
            summary |= (own - real).columns(f"{metric}_difference_to_real", level)
    return summary


def _beside_reported(table: pd.DataFrame, reported: Sequence[ReportedClaim]) -> pd.DataFrame:
    """Add what the paper reports; its generated modalities are single draws."""
    values: dict[tuple[str, ...], float] = {}
    for claim in reported:
        key = (claim.metric, claim.task, claim.modality)
        for where, value in (
            (REAL, claim.paper_real),
            ((claim.method, "draw"), claim.paper_generated),
        ):
            # Of many statements the paper gives no score.
            if np.isfinite(value):
                values[*key, *where] = value
    keys = list(zip(*(table[name] for name in KEY), strict=True))
    columns = {
        f"paper_{metric}": [values.get((metric, *key), np.nan) for key in keys]
        for metric in METRICS
    }
    return table.assign(**columns)
