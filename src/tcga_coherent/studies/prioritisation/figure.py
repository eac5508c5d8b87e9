"""Figures 4 and S5: performance while a modality is measured for more and more patients."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.downstream.task import DownstreamTask
from tcga_coherent.figures.palette import STRATEGY_LABELS, STRATEGY_STYLES, Style
from tcga_coherent.figures.panels import SMALL, WIDTH, band, legend_above
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.studies.prioritisation.experiment import (
    CHANGE_STRATEGIES,
    ENTROPY,
    ORACLE,
    RANDOM,
    UNACQUIRED,
    VARIANCE_STRATEGIES,
)

CURVE_HEIGHT, AREA_HEIGHT = 1.75, 2.0
# Of the range of all curves but the oracle's: how far above it a panel reaches.
HEADROOM = 0.8
# The paper's Figure 4 shows these two.
PAPER_MODALITIES = ("rnaseq", "wsi")
COHERENT_CHANGE = CHANGE_STRATEGIES["coherent"]
# From the reference through the simple ones to those of this project and the bound.
DRAWN = (
    RANDOM, ENTROPY, VARIANCE_STRATEGIES[STRONGEST], VARIANCE_STRATEGIES["multi"],
    VARIANCE_STRATEGIES["coherent"], COHERENT_CHANGE, ORACLE,
)  # fmt: skip
WITH_BAND = (RANDOM, VARIANCE_STRATEGIES["coherent"], COHERENT_CHANGE)
WITHOUT_LABELS = {"missing": "others without it", "generated": "others generated"}
SHORT_LABELS = {"missing": "without", "generated": "generated"}


def draw_acquisition(
    curves: pd.DataFrame,
    areas: pd.DataFrame,
    tasks: Sequence[DownstreamTask],
    modalities: Mapping[str, ModalityConfig],
) -> Figure:
    """Draw the acquisition curves of tasks, and how much better than at random they are.

    Parameters
    ----------
    curves, areas
        Results of :func:`tcga_coherent.studies.prioritisation.table.curve_table` and
        :func:`~tcga_coherent.studies.prioritisation.table.area_table`.
    tasks
        At least one; one below the other.
    modalities
        Parsed parameters: labels.

    Returns
    -------
    Figure
        A column a modality. Above the curves for patients who have nothing or a generated modality
        until theirs is measured; the band is the standard deviation over repeats. Below the area to
        the random curve with its bootstrap interval over patients. A modality that cannot be
        evaluated has the reason instead. An oracle far above the others leaves its panel.
    """
    height = len(UNACQUIRED) * CURVE_HEIGHT + AREA_HEIGHT + 0.7
    figure = Figure(figsize=(WIDTH, height * len(tasks)), layout="constrained")
    parts = [figure] if len(tasks) == 1 else figure.subfigures(len(tasks), 1, squeeze=False).ravel()
    for part, task in zip(parts, tasks, strict=True):
        _draw_task(
            part,
            curves[curves["task"] == task.name],
            areas[areas["task"] == task.name],
            task,
            modalities,
        )
    return figure


def _draw_task(
    figure: Figure | SubFigure,
    curves: pd.DataFrame,
    areas: pd.DataFrame,
    task: DownstreamTask,
    modalities: Mapping[str, ModalityConfig],
) -> None:
    names = _paper_first(curves["modality"].unique())
    grid = figure.subplots(
        len(UNACQUIRED) + 1,
        len(names),
        squeeze=False,
        height_ratios=[*[CURVE_HEIGHT] * len(UNACQUIRED), AREA_HEIGHT],
    )
    for column, name in enumerate(names):
        label = modalities[name].label if name in modalities else name
        grid[0, column].set_title(label, fontsize=9, fontweight="bold")
        rows = curves[curves["modality"] == name]
        # An empty note is missing once the table was a file.
        notes = rows.loc[rows["score_mean"].isna(), "note"]
        for line, unacquired in enumerate(UNACQUIRED):
            axes = grid[line, column]
            if notes.empty:
                _draw_curves(axes, rows[rows["unacquired"] == unacquired])
            else:
                _write_reason(axes, notes.iloc[0] if line == 0 else "")
            if column == 0:
                label = f"{task.curve_label},\n{WITHOUT_LABELS[unacquired]}"
                axes.set_ylabel(label, fontsize=SMALL)
        axes = grid[-1, column]
        if notes.empty:
            _draw_areas(axes, areas[areas["modality"] == name])
        else:
            _write_reason(axes, "")
        if column == 0:
            axes.set_ylabel("Mean advantage\nover random", fontsize=SMALL)
    legend_above(figure, _legend(task), 3)


def _draw_curves(axes: Axes, rows: pd.DataFrame) -> None:
    for strategy in DRAWN:
        row = rows[rows["strategy"] == strategy]
        style = _style(strategy)
        if strategy in WITH_BAND:
            band(
                axes,
                row["ratio"],
                row["score_mean"] - row["score_std"],
                row["score_mean"] + row["score_std"],
                style.color,
                0.15,
            )
        axes.plot(
            row["ratio"],
            row["score_mean"],
            color=style.color,
            linestyle=_line(strategy),
            linewidth=1,
            marker=style.marker,
            mfc=_fill(strategy),
            markevery=5,
            markersize=3,
        )
    others = rows[rows["strategy"] != ORACLE]
    low = (others["score_mean"] - others["score_std"]).min()
    high = (others["score_mean"] + others["score_std"]).max()
    # Above this only the oracle would be seen, and nothing else told apart.
    margin = 0.1 * (high - low)
    highest = max(high, rows["score_mean"].max()) + margin
    axes.set_ylim(low - margin, min(highest, high + HEADROOM * (high - low)))
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "50", "100 %"])
    axes.tick_params(labelsize=SMALL)
    axes.set_xlabel("patients measured", fontsize=SMALL)


def _draw_areas(axes: Axes, rows: pd.DataFrame) -> None:
    informed = [strategy for strategy in DRAWN if strategy not in (RANDOM, ORACLE)]
    for group, unacquired in enumerate(UNACQUIRED):
        of_group = rows[rows["unacquired"] == unacquired].set_index("strategy")
        for number, strategy in enumerate(informed):
            row, style = of_group.loc[strategy], _style(strategy)
            x = group * (len(informed) + 1) + number
            bar = axes.vlines(x, row["area_low"], row["area_high"], color=style.color, linewidth=1)
            bar.set_linestyle(_line(strategy))
            axes.plot(
                x,
                row["area_mean"],
                style.marker,
                color=style.color,
                mfc=_fill(strategy),
                markersize=4,
            )
    axes.axhline(0, color=STRATEGY_STYLES[RANDOM].color, linewidth=0.8, zorder=1)
    # The oracle's area would squeeze the others.
    oracle = rows[rows["strategy"] == ORACLE].set_index("unacquired")["area_mean"]
    centre = (len(informed) - 1) / 2
    axes.set_xticks(
        [centre, centre + len(informed) + 1],
        [f"{SHORT_LABELS[name]}\n(oracle\n{oracle[name]:.3f})" for name in UNACQUIRED],
    )
    axes.tick_params(labelsize=SMALL)
    axes.tick_params(axis="x", length=0)


def _write_reason(axes: Axes, reason: str) -> None:
    axes.set_axis_off()
    text = "\n".join(textwrap.wrap(reason, width=24))
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=SMALL, transform=axes.transAxes)


def _paper_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: name not in PAPER_MODALITIES)


def _style(strategy: str) -> Style:
    return STRATEGY_STYLES["coherent" if strategy == COHERENT_CHANGE else strategy]


def _line(strategy: str) -> Literal["-", "--"]:
    return "--" if strategy == COHERENT_CHANGE else "-"


def _fill(strategy: str) -> str:
    return "none" if strategy == COHERENT_CHANGE else _style(strategy).color


def _legend(task: DownstreamTask) -> list[Line2D | Patch]:
    labels = {
        **STRATEGY_LABELS,
        ENTROPY: task.doubt_label,
        COHERENT_CHANGE: f"{STRATEGY_LABELS['coherent']}, expected change",
    }
    handles: list[Line2D | Patch] = []
    for strategy in DRAWN:
        style = _style(strategy)
        handles.append(
            Line2D(
                [], [],
                color=style.color,
                linestyle=_line(strategy),
                linewidth=1,
                marker=style.marker,
                mfc=_fill(strategy),
                markersize=4,
                label=labels[strategy],
            )
        )  # fmt: skip
    band = Patch(color="0.3", alpha=0.3, label="Band: sd over repeats")
    bar = Line2D(
        [], [], color="0.3", marker="|", linewidth=0, label="Bar: bootstrap interval over patients"
    )
    return [*handles, band, bar]
