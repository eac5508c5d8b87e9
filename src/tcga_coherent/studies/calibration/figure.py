"""The figures of the calibration table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tcga_coherent.figures.palette import METHOD_STYLES, method_key
from tcga_coherent.figures.panels import SMALL, band, legend_above, plain
from tcga_coherent.measures.cancer_types import type_groups
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.studies.calibration.table import LEVELS_OF_A_TYPE

PANEL_WIDTH = 1.8  # inches: four targets make the text width of a page
TOLERANCE = 5  # percentage points within which coverage is taken for right


def draw_calibration(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw coverage, rank histograms and error against spread, a column a target.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.calibration.table.calibration_table`.
    modalities
        Labels and colours of the targets.
    """
    overall = table[table["every_type"]]
    figure = Figure(figsize=(PANEL_WIDTH * len(modalities), 6.2), layout="constrained")
    grid = figure.subplots(3, len(modalities), squeeze=False, sharey="row")
    for column, (target, config) in zip(grid.T, modalities.items(), strict=True):
        rows = overall[overall["target"] == target]
        column[0].set_title(config.label, fontsize=9, fontweight="bold", color=config.color)
        _draw_coverage(column[0], rows[rows["measure"] == "coverage"])
        _draw_ranks(column[1], rows[rows["measure"] == "rank"])
        _draw_error_by_spread(column[2], rows)
    grid[0, 0].set_ylabel("observed − nominal\ncoverage (points)", fontsize=SMALL)
    grid[1, 0].set_ylabel("frequency of the rank\n(1: calibrated)", fontsize=SMALL)
    grid[2, 0].set_ylabel("RMSE of the mean draw", fontsize=SMALL)
    _finish(figure, table)
    return figure


def draw_calibration_by_type(
    table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw coverage and spread over error of each cancer type, a column a target.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.calibration.table.calibration_table`.
    modalities
        Labels and colours of the targets.
    """
    groups = type_groups(table)
    sizes = table.groupby("cancer_type")["n_patients"].max()
    height = 2 * (0.24 * len(groups) + 0.5) + 0.5
    figure = Figure(figsize=(PANEL_WIDTH * len(modalities), height), layout="constrained")
    grid = figure.subplots(2, len(modalities), squeeze=False, sharey=True, sharex="row")
    for column, (target, config) in zip(grid.T, modalities.items(), strict=True):
        rows = table[table["target"] == target]
        column[0].set_title(config.label, fontsize=9, fontweight="bold", color=config.color)
        covered = rows[rows["measure"] == "coverage"]
        for level in LEVELS_OF_A_TYPE:
            own = covered[covered["point"] == round(100 * level)]
            nominal = own["nominal"].iloc[0]
            low, high = nominal - TOLERANCE / 100, nominal + TOLERANCE / 100
            column[0].axvspan(low, high, color="0.92", linewidth=0, zorder=0)
            _draw_groups(column[0], own, groups, nominal)
        _draw_groups(column[1], rows[rows["measure"] == "spread_skill"], groups, 1.0)
        column[0].set_xticks([0, 0.5, 1], ["0", "50", "100"])
        column[0].set_xlabel("coverage of the 50 % and\nthe 90 % interval (%)", fontsize=SMALL)
        column[1].set_xlabel("spread / error", fontsize=SMALL)
    grid[0, 0].set_ylim(len(groups) - 0.5, -0.5)
    for panel in grid[:, 0]:
        panel.set_yticks(range(len(groups)), [f"{name} ({sizes[name]})" for name in groups])
    _finish(figure, table)
    return figure


def _draw_coverage(axes: Axes, rows: pd.DataFrame) -> None:
    axes.axhspan(-TOLERANCE, TOLERANCE, color="0.92", linewidth=0)
    axes.axhline(0, color="0.3", linewidth=0.8, linestyle="--")
    for method, own in rows.groupby("method", sort=False):
        style = METHOD_STYLES[str(method)]
        nominal = 100 * own["nominal"]
        band(
            axes,
            nominal,
            100 * own["low"] - nominal,
            100 * own["high"] - nominal,
            style.color,
            0.15,
        )
        axes.plot(
            nominal,
            100 * own["value"] - nominal,
            color=style.color,
            marker=style.marker,
            markersize=3,
            linewidth=1,
        )
    axes.set_xlabel("nominal coverage (%)", fontsize=SMALL)
    axes.set_xticks([0, 50, 100])


def _draw_ranks(axes: Axes, rows: pd.DataFrame) -> None:
    axes.axhline(1, color="0.3", linewidth=0.8, linestyle="--")
    for method, own in rows.groupby("method", sort=False):
        edges = np.linspace(0, 1, len(own) + 1)
        frequency = own["value"] / own["nominal"]
        color = METHOD_STYLES[str(method)].color
        axes.stairs(frequency, edges, baseline=None, color=color, linewidth=1)
    axes.set_ylim(bottom=0)
    axes.set_xticks([0, 0.5, 1])
    axes.set_xlabel("rank of the truth among the\ndraws, as share of them", fontsize=SMALL)


def _draw_error_by_spread(axes: Axes, rows: pd.DataFrame) -> None:
    correlation = rows[rows["measure"] == "spread_error"].set_index("method")["value"]
    binned = rows[rows["measure"] == "error_by_spread"]
    for method, own in binned.groupby("method", sort=False):
        style = METHOD_STYLES[str(method)]
        axes.vlines(own["nominal"], own["low"], own["high"], color=style.color, linewidth=0.7)
        axes.plot(
            own["nominal"],
            own["value"],
            color=style.color,
            marker=style.marker,
            markersize=3,
            linewidth=0.8,
            label=f"ρ = {correlation[method]:.2f}",
        )
    ends = [binned["nominal"].min(), binned["nominal"].max()]
    axes.plot(ends, ends, color="0.3", linewidth=0.8, linestyle="--")
    axes.set_xlabel("predicted spread (SD)", fontsize=SMALL)
    axes.legend(fontsize=SMALL, frameon=False, handlelength=1.2, loc="upper left")


def _draw_groups(axes: Axes, rows: pd.DataFrame, groups: list[str], nominal: float) -> None:
    axes.axvline(nominal, color="0.3", linewidth=0.8, linestyle="--", zorder=0)
    methods = list(rows["method"].unique())
    for number, method in enumerate(methods):
        own = rows[rows["method"] == method].set_index("cancer_type").loc[groups]
        style = METHOD_STYLES[method]
        y = np.arange(len(groups)) + 0.6 * ((number + 0.5) / len(methods) - 0.5)
        axes.hlines(y, own["low"], own["high"], color=style.color, linewidth=0.7)
        axes.plot(own["value"], y, style.marker, color=style.color, markersize=2.5)


def _finish(figure: Figure, table: pd.DataFrame) -> None:
    for axes in figure.axes:
        plain(axes)
    handles: list[Artist] = [method_key(method, linewidth=1) for method in table["method"].unique()]
    handles += [
        Line2D([], [], color="0.3", linewidth=0.8, linestyle="--", label="calibrated"),
        Patch(color="0.92", label=f"coverage within {TOLERANCE} points"),
    ]
    legend_above(figure, handles, 5)
