"""Figure of appendix S6: the headline differences with their intervals over patients."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.baselines.registry import BASELINES, STRONGEST
from tcga_coherent.downstream.profiles import ABLATION
from tcga_coherent.downstream.tasks import TASKS, chosen
from tcga_coherent.figures.palette import METHOD_STYLES, legend_key, method_key
from tcga_coherent.figures.panels import SMALL, WIDTH, legend_above
from tcga_coherent.studies.statistics.downstream import ACQUISITION, RESCUE
from tcga_coherent.studies.statistics.sources import RECONSTRUCTION, SIGNAL
from tcga_coherent.studies.statistics.table import BOOTSTRAP

ROW_HEIGHT = 0.17
TREATMENTS = ("multi", "coherent")


@dataclass(frozen=True)
class Panel:
    """Differences that are drawn together.

    Attributes
    ----------
    study, metric, reference
        Rows of the table, the metric without how draws are pooled; methods are held against the
        reference.
    starts
        What conditions begin with; it is left out of their labels.
    title
        What is shown.
    """

    study: str
    metric: str
    reference: str
    starts: str
    title: str


PANELS = (
    Panel(
        RECONSTRUCTION,
        "r2_of_mean",
        STRONGEST,
        "",
        f"Reconstruction: R² − {BASELINES[STRONGEST].label.lower()}",
    ),
    Panel(ACQUISITION, "area", "random", "", "Acquisition: area − random"),
    Panel(SIGNAL, "macro_f1_of_mean", "real", "cancer_type from ", "Type signal: F1 − measured"),
    Panel(SIGNAL, "macro_f1_of_mean", "real", "stage from ", "Stage signal: F1 − measured"),
)


def _panels(table: pd.DataFrame) -> list[Panel]:
    """Return the panels, with one of rescue for each task that the table has."""
    of_rescue = table.loc[table["study"] == RESCUE, "condition"].str.split(" without ").str[0]
    return [*PANELS] + [
        Panel(
            RESCUE,
            task.headline,
            ABLATION,
            f"{task.name} without ",
            f"{task.label.capitalize()} rescue: {task.short} − ablation",
        )
        for task in chosen(of_rescue.unique())
    ]


def draw_statistics(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw a panel a study: difference, interval over patients and spread over repeats.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.statistics.table.statistics_table`.
    labels
        Modality to its name in figures.
    """
    # A file does not tell an empty note from none.
    table = table.assign(note=table["note"].fillna(""))
    panels = _panels(table)
    shown = [_rows(table, panel) for panel in panels]
    sizes = [max(rows["condition"].nunique(), 4) for rows in shown]
    heights = [
        ROW_HEIGHT * max(pair) + 0.75 for pair in zip_longest(sizes[::2], sizes[1::2], fillvalue=0)
    ]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.5), layout="constrained")
    grid = figure.subplots(len(heights), 2, height_ratios=heights)
    for axes, panel, rows in zip(grid.flat, panels, shown, strict=False):
        _draw(axes, rows, panel, labels)
        if rows.empty:
            reasons = _reasons(table, panel)
            axes.text(0.5, 0.5, reasons, fontsize=SMALL, ha="center", transform=axes.transAxes)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    legend_above(figure, _legend(), 4)
    return figure


def _rows(table: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    return table[
        (table["study"] == panel.study)
        & table["metric"].str.startswith(panel.metric)
        & (table["test"] == BOOTSTRAP)
        & (table["reference"] == panel.reference)
        & table["treatment"].isin(TREATMENTS)
        & table["condition"].str.startswith(panel.starts)
    ]


def _draw(axes: Axes, rows: pd.DataFrame, panel: Panel, labels: Mapping[str, str]) -> None:
    conditions = list(rows["condition"].unique())
    axes.axvline(0, color="0.3", linewidth=0.8, linestyle="--", zorder=1)
    for row in rows.to_dict("records"):
        y = conditions.index(row["condition"]) + 0.36 * (TREATMENTS.index(row["treatment"]) - 0.5)
        mean, std = row["difference_mean"], row["difference_std"]
        style = METHOD_STYLES[row["treatment"]]
        axes.hlines(
            y, row["difference_low"], row["difference_high"], color=style.color, linewidth=0.9
        )
        if np.isfinite(std):
            axes.hlines(y, mean - std, mean + std, color=style.color, linewidth=2.6, alpha=0.45)
        axes.plot(mean, y, style.marker, color=style.color, markersize=3.5, zorder=3)
    for y in range(1, len(conditions), 2):
        axes.axhspan(y - 0.5, y + 0.5, color="0.96", linewidth=0, zorder=0)
    axes.set_yticks(
        range(len(conditions)),
        [_label(name.removeprefix(panel.starts), labels) for name in conditions],
    )
    axes.set_ylim(max(len(conditions), 1) - 0.5, -0.5)
    axes.set_title(panel.title, fontsize=8, fontweight="bold", loc="right")
    axes.tick_params(labelsize=SMALL)
    axes.locator_params(axis="x", nbins=5)
    axes.spines[["top", "right"]].set_visible(False)


def _label(condition: str, labels: Mapping[str, str]) -> str:
    """Name modalities and tasks as in the other figures."""
    names = {name: task.label for name, task in TASKS.items()} | dict(labels)
    parts = condition.split(", ")
    return ", ".join("+".join(names.get(name, name) for name in part.split("+")) for part in parts)


def _reasons(table: pd.DataFrame, panel: Panel) -> str:
    own = table[(table["study"] == panel.study) & (table["note"] != "")]
    own = own[own["condition"].str.startswith(panel.starts.split(" ")[0])]
    return "\n".join(dict.fromkeys(own["note"]))


def _legend() -> list[Line2D]:
    handles = [method_key(method, linewidth=0) for method in TREATMENTS]
    handles.append(legend_key("bootstrap interval over patients", linewidth=0.9))
    handles.append(legend_key("± SD over repeats (seeds)", linewidth=2.6, alpha=0.45))
    return handles
