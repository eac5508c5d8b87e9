"""Figure 3 and S4: what patients with missing modalities are predicted with, pattern by pattern."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from tcga_coherent.downstream.profiles import ABLATION, GENERATORS, IMPUTATIONS
from tcga_coherent.downstream.task import DownstreamTask
from tcga_coherent.downstream.tasks import chosen, less_is_better
from tcga_coherent.figures.palette import METHOD_LABELS, METHOD_STYLES
from tcga_coherent.figures.panels import SMALL, WIDTH, legend_above
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.studies.rescue.experiment import CANCER_TYPE, POINT, POOLINGS, REAL, Pooling
from tcga_coherent.studies.rescue.scores import MEAN_OF_PATTERNS

LEGEND_HEIGHT = 0.75
METHODS = (ABLATION, *IMPUTATIONS, *GENERATORS)
# Share of a pattern's width that its methods take.
SPREAD = 0.72

POOLING_LABELS = {
    "draw": "one draw",
    "mean_of_draws": "mean of draws",
    "multiple": "pooled predictions",
}


def draw_rescue(
    table: pd.DataFrame, modalities: Mapping[str, ModalityConfig], pooling: Pooling
) -> Figure:
    """Draw the headline score of each task in every pattern: Figure 3.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.rescue.table.rescue_table`.
    modalities
        Name to configuration, in the order of the parameters.
    pooling
        Pooling of the generators to draw.

    Returns
    -------
    Figure
        A panel a task, with the modalities that are missing marked below; a panel of a task that was
        skipped says why.
    """
    panels = [(task, task.headline) for task in _tasks(table)]
    heights = [2.6] * len(panels) + [_marks_height(modalities)]
    figure = Figure(figsize=(WIDTH, sum(heights) + LEGEND_HEIGHT), layout="constrained")
    _draw_panels(figure, table, panels, modalities, pooling, heights)
    return figure


def draw_rescue_metrics(
    table: pd.DataFrame, modalities: Mapping[str, ModalityConfig], pooling: Pooling
) -> Figure:
    """Draw the other scores like Figure 3, and the poolings by their mean gain: S4.

    Parameters
    ----------
    table, modalities, pooling
        As in :func:`draw_rescue`.
    """
    tasks = _tasks(table)
    panels = [(task, metric) for task in tasks for metric in list(task.metrics)[1:]]
    heights = [1.5] * len(panels) + [_marks_height(modalities)]
    upper_height, lower_height = sum(heights) + LEGEND_HEIGHT, 2.2
    figure = Figure(figsize=(WIDTH, upper_height + lower_height), layout="constrained")
    upper, lower = figure.subfigures(
        2, 1, squeeze=False, height_ratios=[upper_height, lower_height]
    ).ravel()
    _draw_panels(upper, table, panels, modalities, pooling, heights)
    for number, task in enumerate(tasks):
        metric = task.headline
        axes = lower.add_subplot(1, len(tasks), number + 1)
        _draw_poolings(axes, _rows(table, task, metric), _note(table, task), named=number == 0)
        axes.set_title(task.title, fontsize=8, fontweight="bold", loc="left")
        axes.set_xlabel(
            f"gain in {task.metrics[metric]} over ablation,\nmean of all patterns", fontsize=SMALL
        )
    return figure


def _draw_panels(
    figure: Figure | SubFigure,
    table: pd.DataFrame,
    panels: Sequence[tuple[DownstreamTask, str]],
    modalities: Mapping[str, ModalityConfig],
    pooling: Pooling,
    heights: Sequence[float],
) -> None:
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    patterns = list(table.loc[table["method"] == ABLATION, "removed"].unique())
    patterns = [pattern for pattern in patterns if pattern != MEAN_OF_PATTERNS]
    for number, (task, metric) in enumerate(panels):
        axes = figure.add_subplot(grid[number])
        own, note = _rows(table, task, metric), _note(table, task)
        _draw_panel(axes, own, note, patterns, pooling)
        axes.set_ylabel(task.metrics[metric], fontsize=SMALL)
        axes.set_title(task.title, fontsize=8, fontweight="bold", loc="left")
        if not note:
            full = own[own["method"] == REAL].iloc[0]
            text = (
                f"{full['n_patients']:.0f} test patients; full data {full['score_mean']:.3f}, "
                f"interval over patients {full['score_low']:.3f} to {full['score_high']:.3f}"
            )
            axes.set_title(text, fontsize=SMALL, loc="right")
    _draw_missing(figure.add_subplot(grid[len(panels)]), patterns, modalities)
    legend_above(figure, _legend(pooling), 3)


def _tasks(table: pd.DataFrame) -> list[DownstreamTask]:
    return chosen(table["task"].unique())


def _marks_height(modalities: Mapping[str, ModalityConfig]) -> float:
    return 0.16 * len(modalities) + 0.1


def _rows(table: pd.DataFrame, task: DownstreamTask, metric: str) -> pd.DataFrame:
    return table[(table["task"] == task.name) & (table["metric"] == metric)]


def _note(table: pd.DataFrame, task: DownstreamTask) -> str:
    # A table that was read from CSV has no empty words.
    notes = table.loc[table["task"] == task.name, "note"].fillna("")
    return str(notes.max()) if len(notes) else ""


def _say(axes: Axes, note: str) -> None:
    axes.text(
        0.5, 0.5, f"Not evaluated: {note}", ha="center", va="center", fontsize=8, wrap=True
    ).set_transform(axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_panel(
    axes: Axes, own: pd.DataFrame, note: str, patterns: Sequence[str], pooling: Pooling
) -> None:
    axes.set_xlim(-0.5, max(len(patterns), 1) - 0.5)
    if note:
        _say(axes, note)
        return
    full = own[own["method"] == REAL].iloc[0]["score_mean"]
    alone = own[own["method"] == CANCER_TYPE].iloc[0]["score_mean"]
    axes.axhline(full, color=METHOD_STYLES["real"].color, linewidth=1, zorder=1)
    axes.axhline(alone, color="0.4", linewidth=1, linestyle=":", zorder=1)
    # Errors are drawn as they are, though their differences say how much better one is.
    sign = -1 if less_is_better(own["metric"].iloc[0]) else 1
    for place, pattern in enumerate(patterns):
        if place % 2:
            axes.axvspan(place - 0.5, place + 0.5, color="0.95", linewidth=0, zorder=0)
        rows = own[(own["removed"] == pattern) & own["pooling"].isin((POINT, pooling))]
        rows = rows.set_index("method")
        for number, method in enumerate(METHODS):
            row, style = rows.loc[method], METHOD_STYLES[method]
            x = place + SPREAD * (number / (len(METHODS) - 1) - 0.5)
            ends = full + sign * row["drop_from_full_low"], full + sign * row["drop_from_full_high"]
            axes.vlines(x, *ends, color=style.color, linewidth=0.8, zorder=2)
            mean, std = row["score_mean"], row["score_std"]
            axes.vlines(x, mean - std, mean + std, color=style.color, linewidth=2.6, zorder=3)
            axes.plot(x, mean, style.marker, color=style.color, markersize=3.4, zorder=4)
    axes.set_xticks([])
    axes.tick_params(labelsize=SMALL)


def _draw_missing(
    axes: Axes, patterns: Sequence[str], modalities: Mapping[str, ModalityConfig]
) -> None:
    """Mark which modalities each pattern lacks."""
    for y, (name, config) in enumerate(modalities.items()):
        for x, pattern in enumerate(patterns):
            missing = name in pattern.split("+")
            axes.plot(x, y, "s", color=config.color if missing else "0.88", markersize=6)
    axes.set_xlim(-0.5, max(len(patterns), 1) - 0.5)
    axes.set_ylim(len(modalities) - 0.4, -0.6)
    axes.set_yticks(range(len(modalities)), [config.label for config in modalities.values()])
    axes.set_xticks([])
    axes.tick_params(labelsize=SMALL, length=0)
    axes.set_xlabel("missing (coloured) and measured (grey) modalities", fontsize=SMALL)
    axes.spines[:].set_visible(False)


def _draw_poolings(axes: Axes, own: pd.DataFrame, note: str, named: bool) -> None:
    if note:
        _say(axes, note)
        return
    rows = own[own["removed"] == MEAN_OF_PATTERNS]
    names: list[str] = []
    for method in (*IMPUTATIONS, *GENERATORS):
        for pooling in POOLINGS if method in GENERATORS else (POINT,):
            _draw_gain(axes, len(names), rows, method, pooling)
            name = METHOD_LABELS[method]
            names.append(name if pooling == POINT else f"{name}: {POOLING_LABELS[pooling]}")
    axes.axvline(0, color="0.6", linewidth=0.6, zorder=0)
    axes.set_yticks(range(len(names)), names if named else [])
    axes.invert_yaxis()
    axes.tick_params(labelsize=SMALL)


def _draw_gain(axes: Axes, y: float, rows: pd.DataFrame, method: str, pooling: str) -> None:
    row = rows[(rows["method"] == method) & (rows["pooling"] == pooling)].iloc[0]
    style = METHOD_STYLES[method]
    ends = row["gain_over_ablation_low"], row["gain_over_ablation_high"]
    axes.hlines(y, *ends, color=style.color, linewidth=0.8)
    mean, std = row["gain_over_ablation_mean"], row["gain_over_ablation_std"]
    axes.hlines(y, mean - std, mean + std, color=style.color, linewidth=2.6)
    axes.plot(mean, y, style.marker, color=style.color, markersize=3.4)


def _legend(pooling: Pooling) -> list[Line2D]:
    handles = [
        _key("Full data", color=METHOD_STYLES["real"].color, linewidth=1),
        _key("Cancer type alone", color="0.4", linewidth=1, linestyle=":"),
    ]
    for method in METHODS:
        style = METHOD_STYLES[method]
        label = METHOD_LABELS[method]
        if method in GENERATORS:
            label += f" ({POOLING_LABELS[pooling]})"
        handles.append(_key(label, color=style.color, marker=style.marker, linewidth=0))
    handles.append(_key("± sd over repeats", color="0.4", linewidth=2.6))
    handles.append(_key("Interval over patients of the\ndifference to full data", color="0.4"))
    return handles


def _key(label: str, **style: Any) -> Line2D:
    return Line2D([], [], **({"linewidth": 0.8, "markersize": 4} | style), label=label)
