"""Figure 2: scores of classifiers on measured and on generated modalities."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.downstream.classification import METRICS
from tcga_coherent.downstream.tasks import CLASS_TASKS
from tcga_coherent.figures.palette import METHOD_LABELS, METHOD_STYLES, legend_key
from tcga_coherent.figures.panels import SMALL, WIDTH, legend_above, plain
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.studies.signal.claims import rows_by_input
from tcga_coherent.studies.signal.experiment import INPUTS

# Share of the place of a modality that its points take.
GROUP_WIDTH = 0.78


def draw_signal(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw both scores of each task, a group of points a modality.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.signal.table.signal_table`.
    modalities
        Labels and colours of the modalities.
    """
    # A file does not tell an empty note from none.
    table = table.assign(note=table["note"].fillna(""))
    figure = Figure(figsize=(WIDTH, 5.6), layout="constrained")
    grid = figure.subplots(2, len(CLASS_TASKS), sharex=True, sharey="row")
    for column, task in zip(grid.T, CLASS_TASKS, strict=True):
        for axes, metric in zip(column, METRICS, strict=True):
            _draw_scores(axes, table[table["task"] == task], metric, list(modalities))
        n_patients = table.loc[table["task"] == task, "n_patients"].max()
        size = "" if np.isnan(n_patients) else f" ({n_patients:.0f} test patients)"
        column[0].set_title(
            CLASS_TASKS[task].label.capitalize() + size, fontsize=9, fontweight="bold"
        )
        column[1].set_xticks(
            range(len(modalities)), [config.label for config in modalities.values()]
        )
        for tick, config in zip(column[1].get_xticklabels(), modalities.values(), strict=True):
            tick.set_color(config.color)
            tick.set_fontweight("bold")
    for axes, label in zip(grid[:, 0], METRICS.values(), strict=True):
        axes.set_ylabel(label, fontsize=8)
        axes.set_ylim(bottom=0)
    for axes in grid.flat:
        plain(axes)
    legend_above(figure, _legend(table), 4)
    return figure


def _draw_scores(axes: Axes, rows: pd.DataFrame, metric: str, modalities: list[str]) -> None:
    offsets = GROUP_WIDTH * (np.arange(len(INPUTS)) / (len(INPUTS) - 1) - 0.5)
    for position, modality in enumerate(modalities):
        own = rows[rows["modality"] == modality]
        if position % 2:
            axes.axvspan(position - 0.5, position + 0.5, color="0.96", linewidth=0, zorder=0)
        if own["note"].iloc[0]:
            _say(axes, position, own["note"].iloc[0])
            continue
        scores = rows_by_input(own)
        for offset, key in zip(offsets, INPUTS, strict=True):
            _draw_score(axes, position + offset, scores[key], key, metric)
        chance = scores["stratified", "guess"][f"{metric}_mean"]
        axes.hlines(
            chance, position - 0.5, position + 0.5, color="0.3", linewidth=0.8, linestyle="--"
        )
    axes.set_xlim(-0.5, len(modalities) - 0.5)


def _draw_score(
    axes: Axes, x: float, score: Mapping[str, Any], key: tuple[str, str], metric: str
) -> None:
    method, kind = key
    style = METHOD_STYLES[method]
    mean, std = score[f"{metric}_mean"], score[f"{metric}_std"]
    axes.vlines(
        x, score[f"{metric}_low"], score[f"{metric}_high"], color=style.color, linewidth=0.9
    )
    axes.vlines(x, mean - std, mean + std, color=style.color, linewidth=2.6, alpha=0.45)
    axes.plot(
        x,
        mean,
        style.marker,
        color=style.color,
        mfc="white" if kind == "mean_of_draws" else style.color,
        markersize=6 if style.marker == "*" else 4,
        zorder=4,
    )
    if pd.notna(score[f"paper_{metric}"]):
        axes.plot(x, score[f"paper_{metric}"], "_", color=style.color, markersize=9, mew=1.6)


def _say(axes: Axes, position: int, reason: str) -> None:
    axes.text(
        position, 0.02, reason, rotation=90, ha="center", va="bottom", fontsize=SMALL, color="0.3",
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip


def _legend(table: pd.DataFrame) -> list[Line2D]:
    methods = dict.fromkeys(method for method, _ in INPUTS)
    styles = {METHOD_LABELS[method]: METHOD_STYLES[method] for method in methods}
    handles = [
        legend_key(label, color=style.color, marker=style.marker, linewidth=0)
        for label, style in styles.items()
    ]
    handles += [
        legend_key("single draw, or prediction", marker="o", linewidth=0),
        legend_key("mean of all draws", marker="o", mfc="white", linewidth=0),
        legend_key("interval over patients", linewidth=0.9),
        legend_key("± SD over repeats", linewidth=2.6, alpha=0.45),
        legend_key("guessing by frequency", linewidth=0.8, linestyle="--"),
    ]
    if table[["paper_macro_f1", "paper_balanced_accuracy"]].notna().any(axis=None):
        handles.append(legend_key("paper (another cohort)", marker="_", mew=1.6, linewidth=0))
    return handles
