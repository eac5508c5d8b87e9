"""The figure of Table 1: fidelity by target, method and sources, and calibration."""

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.figures.palette import METHOD_LABELS, METHOD_STYLES, legend_key
from tcga_coherent.figures.panels import SMALL, WIDTH, legend_above
from tcga_coherent.source_sets import join_sources

SOURCE_SET_HEIGHT = 0.48


def draw_reconstruction(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw R2 of the mean draw by target, source set and method, with calibration below.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.reconstruction.table.table1`.
    labels
        Modality to its name in figures, in the order of the parameters.

    Returns
    -------
    Figure
        One panel a target with bootstrap intervals and the paper's R2 of single draws; and one panel
        a level with the coverage of intervals from all sources.
    """
    targets = list(labels)
    n_sets = int(table.groupby("target")["source"].nunique().max())
    n_rows = (len(targets) + 1) // 2
    panel_height = SOURCE_SET_HEIGHT * n_sets + 0.4
    calibration_height = 0.4 * len(targets) + 0.4
    figure = Figure(
        figsize=(WIDTH, n_rows * panel_height + calibration_height + 0.9), layout="constrained"
    )
    grid = figure.add_gridspec(
        n_rows + 1, 2, height_ratios=[panel_height] * n_rows + [calibration_height]
    )
    for position, target in enumerate(targets):
        axes = figure.add_subplot(grid[divmod(position, 2)])
        _draw_fidelity(axes, table[table["target"] == target], target, labels)
    for column, level in enumerate((50, 90)):
        _draw_coverage(figure.add_subplot(grid[n_rows, column]), table, level, labels)
    legend_above(figure, _legend(table), 3)
    return figure


def _draw_fidelity(axes: Axes, rows: pd.DataFrame, target: str, labels: Mapping[str, str]) -> None:
    sets = list(reversed(rows["source"].unique()))
    for height, source in enumerate(sets):
        if height % 2:
            axes.axhspan(height - 0.5, height + 0.5, color="0.95", linewidth=0, zorder=0)
        group = rows[rows["source"] == source]
        for line, (_, row) in enumerate(group.iterrows()):
            _draw_row(axes, height + 0.36 - 0.72 * line / max(len(group) - 1, 1), row)
    axes.axvline(0, color="0.6", linewidth=0.6, zorder=1)
    axes.set_yticks(range(len(sets)), [_source_label(source, labels) for source in sets])
    axes.set_ylim(-0.5, len(sets) - 0.5)
    axes.set_title(labels[target], fontsize=9, fontweight="bold")
    axes.set_xlabel("R²", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)


def _draw_row(axes: Axes, y: float, row: pd.Series) -> None:
    style = METHOD_STYLES[row["method"]]
    axes.hlines(
        y, row["r2_of_mean_low"], row["r2_of_mean_high"], color=style.color, linewidth=1, zorder=2
    )
    axes.plot(row["r2_of_mean"], y, style.marker, color=style.color, markersize=3.5, zorder=4)
    if pd.notna(row["paper_r2_mean"]):
        axes.plot(row["paper_r2_mean"], y, "D", mfc="none", mec=style.color, markersize=4, zorder=3)


def _draw_coverage(axes: Axes, table: pd.DataFrame, level: int, labels: Mapping[str, str]) -> None:
    targets = list(labels)
    for height, target in enumerate(reversed(targets)):
        everything = join_sources([name for name in targets if name != target])
        rows = table[(table["target"] == target) & (table["source"] == everything)]
        if height % 2:
            axes.axhspan(height - 0.5, height + 0.5, color="0.95", linewidth=0, zorder=0)
        for line, (_, row) in enumerate(rows.iterrows()):
            style = METHOD_STYLES[row["method"]]
            y = height + 0.35 - 0.7 * line / max(len(rows) - 1, 1)
            axes.plot(row[f"coverage_{level}"], y, style.marker, color=style.color, markersize=3.5)
    nominal = table[f"nominal_{level}"].iloc[0]
    axes.axvline(nominal, color="0.3", linewidth=0.8, linestyle="--", zorder=1)
    axes.set_xlim(0, 1)
    axes.set_yticks(range(len(targets)), [labels[target] for target in reversed(targets)])
    axes.set_ylim(-0.5, len(targets) - 0.5)
    axes.set_title(f"Coverage of the {nominal:.0%} interval, all sources", fontsize=8)
    axes.set_xlabel("share of measured values inside (dashed: calibrated)", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)


def _source_label(source: str, labels: Mapping[str, str]) -> str:
    # Names hold no break of their own: RNA-Seq must not be torn apart.
    text = " + ".join(labels[name] for name in source.split("+"))
    return "\n".join(textwrap.wrap(text, width=20, break_on_hyphens=False))


def _legend(table: pd.DataFrame) -> list[Line2D]:
    handles = [
        legend_key(METHOD_LABELS[method], color=style.color, marker=style.marker, linewidth=1)
        for method, style in METHOD_STYLES.items()
        if (table["method"] == method).any()
    ]
    n_draws = table["n_draws"].iloc[0]
    handles.append(
        legend_key(
            f"R² of the mean of {n_draws} draws, bootstrap interval", marker="o", linewidth=1
        )
    )
    if table["paper_r2_mean"].notna().any():
        label = "Paper: R² of single draws (another cohort)"
        handles.append(legend_key(label, marker="D", mfc="none", linewidth=0))
    return handles
