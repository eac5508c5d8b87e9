"""The numbers that the summary of the report names first, as sentences."""

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from tcga_coherent.figures.attempt import attempt
from tcga_coherent.figures.palette import METHOD_LABELS
from tcga_coherent.report.display import format_number, join_labels
from tcga_coherent.report.labels import COLUMN_LABELS
from tcga_coherent.report.parts import Parts
from tcga_coherent.report.selections import first_metric, of_the_paper

Labels = Mapping[str, str]

# Beside the methods of the paper stands the strongest of the simple ones.
COMPARED = ("coherent", "multi", "ridge")

POOLING_LABELS = {
    "draw": "single draws",
    "mean_of_draws": "means of draws",
    "multiple": "predictions pooled over draws",
}
# Order of acquisition to what it is called.
SCORES = {"coherent": "by their variance", "coherent_expected_change": "by the expected change"}
# Rows of the rescue table that are of no single pattern of removed modalities.
NO_PATTERNS = ("", "none", "all", "mean of patterns")


def headlines(parts: Parts, modalities: Labels) -> list[str]:
    """Return the sentences of all tables that exist.

    Parameters
    ----------
    parts
        Tables.
    modalities
        Modality to its name in sentences.
    """
    return [
        sentence
        for name in HEADLINES
        if name in parts.tables
        for sentence in attempt(
            f"The summary of {name}",
            partial(_sentences, name, parts, modalities),
            lambda reason: [f"{reason}."],
        )
    ]


def _sentences(name: str, parts: Parts, modalities: Labels) -> list[str]:
    sentences, columns = HEADLINES[name]
    table = parts.tables[name]()
    lacking = [column for column in columns if column not in table]
    if lacking:
        return [f"{name}.csv was made by another version: it has no column {lacking[0]!r}."]
    return sentences(table, modalities)


def reconstruction(table: pd.DataFrame, modalities: Labels) -> list[str]:
    """Say how well each modality is reconstructed from all others, and how honest intervals are."""
    from_all = of_the_paper(table)
    sentences = []
    for target, rows in from_all.groupby("target", sort=False):
        rows = rows.set_index("method")
        # Of two modalities each has one source: nothing for an ensemble to bring together.
        chosen = rows.loc[[method for method in COMPARED if method in rows.index]]
        scores = "; ".join(
            f"{METHOD_LABELS[str(method)]} {_with_interval(row, 'r2_of_mean')}"
            for method, row in chosen.iterrows()
        )
        sentences.append(f"{modalities[str(target)]} from all other modalities, R²: {scores}.")
    covered = 100 * from_all.loc[from_all["method"] == "coherent", "coverage_90"]
    if len(covered):
        sentences.append(
            f"90 % intervals of Coherent Denoising hold {covered.min():.1f} to {covered.max():.1f} % "
            f"of the true values, by modality."
        )
    return sentences


def rescue(table: pd.DataFrame, modalities: Labels) -> list[str]:
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


def acquisition(table: pd.DataFrame, modalities: Labels) -> list[str]:
    """Say of each task for which modalities informed acquisition is surely above random."""
    judged = table[table["above_random"].notna() & table["strategy"].isin(SCORES)]
    sentences = []
    for (task, unacquired), rows in judged.groupby(["task", "unacquired"], sort=False):
        found = []
        for strategy, own in rows.groupby("strategy", sort=False):
            areas = [
                f"{modalities[str(row['modality'])]} {_with_interval(row, 'area', '_mean')}"
                for _, row in own[own["above_random"] == "yes"].iterrows()
            ]
            found.append(f"{SCORES[str(strategy)]} for {', '.join(areas) or 'none'}")
        sentences.append(
            f"{str(task).capitalize()}, acquisition informed by coherent counterfactuals while the "
            f"modality of the others is {unacquired}; area above random order where its interval is "
            f"above zero, of {rows['modality'].nunique()} modalities: {'; '.join(found)}."
        )
    return sentences


def coherence(table: pd.DataFrame, modalities: Labels) -> list[str]:
    """Say how well a modality exchanged between patients is found."""
    found = table[(table["measure"] == "auroc") & (table["statistic"] == "disagreement")]
    if found.empty:
        return []
    by_target = found.groupby("target", sort=False)["value"].mean()
    scores = ", ".join(f"{modalities[str(name)]} {value:.2f}" for name, value in by_target.items())
    return [
        f"Modalities exchanged between patients are found by their disagreement; area under the "
        f"receiver operating curve, by the modality generated: {scores}."
    ]


def _with_interval(row: pd.Series, quantity: str, centre: str = "") -> str:
    value, low, high = (format_number(row[quantity + end], 3) for end in (centre, "_low", "_high"))
    return f"{value} [{low}, {high}]"


# Table to the function that says what it shows and the columns it reads, in the order of the summary.
HEADLINES: Mapping[str, tuple[Callable[[pd.DataFrame, Labels], list[str]], tuple[str, ...]]] = {
    "table1_reconstruction": (
        reconstruction,
        (
            *("target", "method", "source", "coverage_90"),
            *("r2_of_mean", "r2_of_mean_low", "r2_of_mean_high"),
        ),
    ),
    "coherence_error": (coherence, ("target", "measure", "statistic", "value")),
    "table2_rescue": (
        rescue,
        (
            *("task", "metric", "removed", "method", "pooling", "drop_from_full_mean"),
            *("drop_from_full_std", "gain_over_ablation_mean", "gain_over_ablation_low"),
        ),
    ),
    "counterfactual_area": (
        acquisition,
        (
            *("task", "modality", "unacquired", "strategy", "above_random"),
            *("area_mean", "area_low", "area_high"),
        ),
    ),
}
