"""What the report shows of the rescue of incomplete patients."""

from collections.abc import Mapping

import pandas as pd

from tcga_coherent.report.display import join_labels
from tcga_coherent.report.labels import COLUMN_LABELS
from tcga_coherent.report.views import FigureView, Headline, Section, TableView

POOLING_LABELS = {
    "draw": "single draws",
    "mean_of_draws": "means of draws",
    "multiple": "predictions pooled over draws",
}
# Rows of the rescue table that are of no single pattern of removed modalities.
NO_PATTERNS = ("", "none", "all", "mean of patterns")


def first_metric(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first metric of each task, the one that the paper has."""
    return table[table["metric"] == table.groupby("task")["metric"].transform("first")]


def changes_of_single_draws(table: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's Table 2: what ablation costs and what generated modalities gain over it."""
    rows = first_metric(table)
    rows = rows[~rows["removed"].isin(["", "none", "all"])]
    ablated = rows["method"] == "ablation"
    drawn = rows["method"].isin(["multi", "coherent"]) & (rows["pooling"] == "draw")
    changes = []
    for chosen, quantity in ((ablated, "drop_from_full"), (drawn, "gain_over_ablation")):
        names = [
            name
            for name in map(str, rows.columns)
            if name.removeprefix("paper_").startswith(quantity)
        ]
        renamed = {name: name.replace(quantity, "change") for name in names}
        keys = ["task", "removed", "method"]
        changes.append(rows.loc[chosen, [*keys, *names]].rename(columns=renamed))
    return pd.concat(changes)


def over_patterns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the means over all patterns of removed modalities."""
    return table[table["removed"] == "mean of patterns"]


def summary(table: pd.DataFrame, modalities: Mapping[str, str]) -> list[str]:
    """Say of each task where ablation costs more than its spread, and where completion gains."""
    rows = first_metric(table)
    rows = rows[~rows["removed"].isin(NO_PATTERNS)]
    sentences = []
    for (task, metric), own in rows.groupby(["task", "metric"], sort=False):
        ablation = own[own["method"] == "ablation"].set_index("removed")
        drop = -ablation["drop_from_full_mean"]
        costly = list(ablation.index[drop > ablation["drop_from_full_std"]])
        sentences.append(
            f"{str(task).capitalize()} ({COLUMN_LABELS.get(str(metric), metric)}): leaving modalities "
            f"missing costs more than its spread over repeats in {len(costly)} of {len(ablation)} "
            f"patterns."
        )
        completed = own[(own["method"] == "coherent") & own["removed"].isin(costly)]
        for pooling, gains in completed.groupby("pooling", sort=False):
            better = gains["gain_over_ablation_mean"] > 0
            surely = int((gains["gain_over_ablation_low"] > 0).sum())
            sentence = (
                f"Coherent Denoising, {POOLING_LABELS[str(pooling)]}, gains over that in "
                f"{int(better.sum())} of {len(gains)}, and for sure over patients in {surely}"
            )
            without = [join_labels(name, modalities) for name in gains.loc[~better, "removed"]]
            sentences.append(
                f"{sentence}; it does not where {', '.join(without)} are removed."
                if without
                else f"{sentence}."
            )
    return sentences


SECTION = Section(
    "Rescue of incomplete patients",
    "Models trained on complete patients meet test patients of whom modalities are removed. "
    "Ablation leaves the gap to the model; the completions fill it in.",
    (
        TableView(
            "table2_rescue",
            "Table 2. Macro F1 (stage) and C-index (survival): what removal costs against complete "
            "patients (ablation, below zero), and what completion by a single draw gains over "
            "that. ± is the standard deviation over repeats (seed of the forest and draw), [ ] the "
            "bootstrap interval over test patients.",
            columns=("task", "removed", "method", "change"),
            rows=changes_of_single_draws,
            across=("method",),
        ),
        FigureView(
            "fig3_rescue",
            "Score of each completion by pattern of removed modalities, for both tasks.",
            "Figure 3. Score by pattern of removed modalities.",
        ),
        FigureView(
            "s4_rescue",
            "Score of further completions by pattern of removed modalities.",
            "Figure S4. All completions.",
        ),
        TableView(
            "table2_rescue",
            "All completions. Multiple: the forest predicts on every draw, and predictions are "
            "pooled. Share recovered: gain in proportion to what ablation costs, where that is "
            "more than its spread. Spreads as above.",
            columns=(
                "task",
                "removed",
                "method",
                "pooling",
                "score",
                "gain_over_ablation",
                "share_of_drop_recovered",
                "n_patients",
            ),
            key="table2_rescue_all",
        ),
        TableView(
            "rescue_verdict",
            "Is one way better than another? Yes: by more than its spread over repeats, and by the "
            "whole bootstrap interval over patients; no: not above zero. Measured data (real) are "
            "held against ablation and against the cancer type alone. Spreads as above.",
            columns=("task", "removed", "method", "pooling", "against", "difference", "verdict"),
        ),
        TableView(
            "s4_rescue",
            "Table S4. All scores, as the mean over patterns. Differences are signed so that more "
            "is better. Spreads as above.",
            columns=(
                *("task", "metric", "method", "pooling", "score"),
                *("drop_from_full", "gain_over_ablation", "n_patients"),
            ),
            rows=over_patterns,
        ),
    ),
    "--pipeline evaluation --tags rescue",
    headlines=(
        Headline(
            "table2_rescue",
            summary,
            (
                *("task", "metric", "removed", "method", "pooling", "drop_from_full_mean"),
                *("drop_from_full_std", "gain_over_ablation_mean", "gain_over_ablation_low"),
            ),
        ),
    ),
)
