"""The figures of reconstruction by cancer type."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.figures.palette import METHOD_LABELS, METHOD_STYLES, method_key
from tcga_coherent.figures.panels import SMALL, legend_above, plain
from tcga_coherent.measures.cancer_types import type_groups
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.source_sets import join_sources

PANEL_WIDTH = 1.8  # inches: four targets make the text width of a page
METHODS = ("multi", "coherent", STRONGEST)


def draw_reconstruction_by_type(
    table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw R2 of each cancer type from all sources, as such and beyond the type's mean.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.reconstruction.by_type.reconstruction_by_type`.
    modalities
        Labels and colours of the targets, in the order of the parameters.
    """
    groups = type_groups(table)
    sizes = table.groupby("cancer_type")["n_patients"].max()
    height = 2 * (0.24 * len(groups) + 0.5) + 0.5
    figure = Figure(figsize=(PANEL_WIDTH * len(modalities), height), layout="constrained")
    grid = figure.subplots(2, len(modalities), squeeze=False, sharey=True)
    for column, (target, config) in zip(grid.T, modalities.items(), strict=True):
        everything = join_sources([name for name in modalities if name != target])
        rows = table[(table["target"] == target) & (table["source"] == everything)]
        column[0].set_title(config.label, fontsize=9, fontweight="bold", color=config.color)
        _draw_methods(column[0], rows, "r2_of_mean", groups)
        _draw_methods(column[1], rows, "r2_beyond_type", groups)
        column[0].set_xlabel("R²", fontsize=SMALL)
        column[1].set_xlabel("R² beyond the type's mean", fontsize=SMALL)
    grid[0, 0].set_ylim(len(groups) - 0.5, -0.5)
    for panel in grid[:, 0]:
        panel.set_yticks(range(len(groups)), [f"{name} ({sizes[name]})" for name in groups])
    for axes in figure.axes:
        plain(axes)
    handles = [
        method_key(method, linewidth=1) for method in METHODS if (table["method"] == method).any()
    ]
    legend_above(
        figure,
        handles,
        len(handles),
        title="R² of the mean draw from all sources by cancer type (test patients); "
        "lines: bootstrap interval over patients",
        title_fontsize=SMALL,
    )
    return figure


def draw_source_sets_by_type(
    table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw R2 of every target, source set and cancer type as colours, for both generators.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.reconstruction.by_type.reconstruction_by_type`.
    modalities
        Labels of the modalities, in the order of the parameters.
    """
    names = list(modalities)
    groups = type_groups(table)
    n_sets = int(table.groupby("target")["source"].nunique().max())
    figure = Figure(figsize=(7.2, len(names) * (0.16 * n_sets + 0.42) + 1.0), layout="constrained")
    grid = figure.subplots(len(names), 2, squeeze=False, sharex=True, sharey="row")
    generated = table[table["method"].isin(["multi", "coherent"])]
    bound = float(np.nanquantile(generated["r2_of_mean"].abs(), 0.99))
    for panels, target in zip(grid, names, strict=True):
        sets = list(table.loc[table["target"] == target, "source"].unique())
        for axes, method in zip(panels, ("multi", "coherent"), strict=True):
            rows = table[(table["target"] == target) & (table["method"] == method)]
            values = rows.pivot_table(index="source", columns="cancer_type", values="r2_of_mean")
            image = axes.imshow(
                values.reindex(index=sets, columns=groups),
                aspect="auto",
                cmap="RdBu",
                vmin=-bound,
                vmax=bound,
            )
            title = f"{modalities[target].label}: {METHOD_LABELS[method]}"
            axes.set_title(title, fontsize=8)
            axes.set_xticks(range(len(groups)), groups, rotation=90)
            axes.tick_params(labelsize=SMALL, length=0)
        panels[0].set_yticks(range(len(sets)), [_source_label(s, modalities) for s in sets])
    bar = figure.colorbar(image, ax=list(grid.flat), orientation="horizontal", aspect=60, pad=0.01)
    bar.set_label("R² of the mean draw within the cancer type (white: 0)", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    return figure


def _draw_methods(axes: Axes, rows: pd.DataFrame, metric: str, groups: Sequence[str]) -> None:
    axes.axvline(0, color="0.3", linewidth=0.8, linestyle="--", zorder=1)
    axes.axhspan(-0.5, 0.5, color="0.94", linewidth=0, zorder=0)
    methods = [method for method in METHODS if (rows["method"] == method).any()]
    for number, method in enumerate(methods):
        own = rows[rows["method"] == method].set_index("cancer_type").loc[list(groups)]
        style = METHOD_STYLES[method]
        y = np.arange(len(groups)) + 0.6 * ((number + 0.5) / len(methods) - 0.5)
        axes.hlines(
            y, own[f"{metric}_low"], own[f"{metric}_high"], color=style.color, linewidth=0.7
        )
        axes.plot(own[metric], y, style.marker, color=style.color, markersize=2.5)


def _source_label(source: str, modalities: Mapping[str, ModalityConfig]) -> str:
    return " + ".join(modalities[name].label for name in source.split("+"))
