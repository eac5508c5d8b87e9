"""Patients ranked by how much measuring a modality may change what is predicted of them.

Numbers are means over the repeats, except where they are named otherwise: other forests and other
versions of the same patients.
"""

from collections.abc import Sequence

import pandas as pd

from tcga_coherent.downstream.task import DownstreamTask
from tcga_coherent.studies.prioritisation.experiment import (
    CHANGE_STRATEGIES,
    VARIANCE_STRATEGIES,
    predicted_outputs,
    prediction_columns,
    score_column,
)

SCORE = score_column(VARIANCE_STRATEGIES["coherent"], "missing")
EXPECTED = score_column(CHANGE_STRATEGIES["coherent"], "missing")
KEYS = ["task", "modality", "rank", "patient_id", "cancer_type"]
COLUMNS = [
    "probability", "predicted_risk", "risk_percentile", "score", "score_std", "expected_change",
    "change_probability", "spread", "expected_gain", "rank_by_expected_gain", "note",
]  # fmt: skip


def ranking_table(
    repeats: pd.DataFrame,
    tasks: Sequence[DownstreamTask],
    cancer_type: pd.Series,
    modalities: Sequence[str],
) -> pd.DataFrame:
    """Rank the test patients for each task and modality by the coherent variance score.

    Parameters
    ----------
    repeats
        All results of :func:`tcga_coherent.studies.prioritisation.experiment.predict_repeat`, with the
        column ``repeat``.
    tasks
        Those that were asked for.
    cancer_type
        Cancer type of each patient.
    modalities
        Those asked for, in their order.

    Returns
    -------
    DataFrame
        ``rank`` 1 is to be measured first. What is predicted without the modality:
        ``predicted_<task>`` with its ``probability``, or ``predicted_risk`` (expected deaths) and the
        percentage of the test patients who have a lower one, ``risk_percentile``. Then ``score``,
        variance of that prediction over the counterfactuals, and its standard deviation over
        repeats; ``expected_change``, mean absolute difference of the class probabilities or the
        risk; ``change_probability`` that another class would be predicted; ``spread``, standard
        deviation of the probability or risk over the counterfactuals; ``expected_gain``, what the
        stage then predicted is more probable than the present one, and the rank by it. The rank by
        expected gain of a risk is that by its expected change.
    """
    classes = [f"predicted_{task.name}" for task in tasks if task.has_classes]
    columns = [*KEYS, *classes, *COLUMNS]
    predicted = repeats[repeats["note"] == ""]
    frames = []
    for task in tasks:
        for name in modalities:
            rows = predicted[(predicted["task"] == task.name) & (predicted["modality"] == name)]
            if not rows.empty:
                frames.append(_rank(task, name, rows, cancer_type))
    noted = repeats.loc[repeats["note"] != "", ["task", "modality", "note"]].drop_duplicates()
    frames.append(noted)
    kept = [frame.reindex(columns=columns) for frame in frames if not frame.empty]
    return pd.concat(kept, ignore_index=True)


def _rank(
    task: DownstreamTask, name: str, rows: pd.DataFrame, cancer_type: pd.Series
) -> pd.DataFrame:
    by_patient = rows.drop(columns=["task", "modality", "note", "repeat"]).groupby("patient_id")
    mean = by_patient.mean()
    table = pd.DataFrame(
        {
            "task": task.name,
            "modality": name,
            "rank": _rank_of(mean[SCORE]),
            "cancer_type": cancer_type[mean.index],
            "score": mean[SCORE],
            "score_std": by_patient[SCORE].std(),
            "expected_change": mean["change"].round(4),
            "spread": mean["spread"].round(4),
            "rank_by_expected_gain": _rank_of(mean[EXPECTED]),
            "note": "",
        }
    )
    outputs = predicted_outputs(rows)
    predictions = mean[prediction_columns("missing", outputs)].set_axis(outputs, axis=1)
    if task.has_classes:
        table[f"predicted_{task.name}"] = predictions.idxmax(axis=1)
        table["probability"] = predictions.max(axis=1).round(3)
        table["change_probability"] = mean["change_probability"].round(3)
        table["expected_gain"] = mean[EXPECTED].round(4)
    else:
        risk = predictions[outputs[0]]
        table["predicted_risk"] = risk.round(2)
        table["risk_percentile"] = (100 * (risk.rank(method="min") - 1) / len(risk)).round()
    return table.sort_values("rank").reset_index()


def _rank_of(values: pd.Series) -> pd.Series:
    # Patients alike keep the order of their names.
    return values.rank(ascending=False, method="first").astype(int)
