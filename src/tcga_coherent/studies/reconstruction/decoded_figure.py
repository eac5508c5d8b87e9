"""The figure of reconstruction in the space of features."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.figures.palette import METHOD_LABELS, METHOD_STYLES
from tcga_coherent.figures.panels import SMALL, plain
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.studies.reconstruction.decoded import CEILING

PANEL_WIDTH = 1.8  # inches: four targets make the text width of a page
# From top to bottom. The mean predicts the same for all patients: it has no correlation.
METHODS = (
    *(CEILING, "coherent", "multi"),
    *(name for name, baseline in BASELINES.items() if not baseline.constant),
)
LABELS = METHOD_LABELS | {CEILING: "Encoder alone\n(ceiling)"}


def draw_decoded(
    correlations: Mapping[str, pd.DataFrame], modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw how the correlations of features are distributed, and against the ceiling.

    Parameters
    ----------
    correlations
        Target to features x methods, see
        :func:`tcga_coherent.studies.reconstruction.decoded_features.correlations_by_method`.
    modalities
        Labels and colours of the targets.

    Returns
    -------
    Figure
        A column a target. Above, the distribution over features by method, with quartiles; below,
        each feature's correlation by the best generator that uses all sources, beside what the
        encoder alone keeps of it.
    """
    figure = Figure(figsize=(PANEL_WIDTH * len(modalities), 4.6), layout="constrained")
    grid = figure.subplots(2, len(modalities), squeeze=False, sharex="row", sharey="row")
    for column, (target, config) in zip(grid.T, modalities.items(), strict=True):
        own = correlations[target]
        methods = [method for method in METHODS if method in own]
        column[0].set_title(
            f"{config.label}\n{len(own):,} features",
            fontsize=8,
            fontweight="bold",
            color=config.color,
        )
        _draw_distributions(column[0], own, methods)
        ensemble = "coherent" if "coherent" in own else "multi"
        _draw_against_ceiling(column[1], own[CEILING], own[ensemble], config.color)
        column[1].set_xlabel("correlation, encoder alone", fontsize=SMALL)
    grid[0, 0].set_yticks(range(len(methods)), [LABELS[method] for method in methods])
    grid[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    grid[1, 0].set_ylabel(f"correlation,\n{LABELS[ensemble]}", fontsize=SMALL)
    for axes in figure.axes:
        plain(axes)
    figure.supxlabel(
        "Above: correlation of single features over test patients, their distribution and quartiles. "
        "Below: each feature.",
        fontsize=SMALL,
    )
    return figure


def _draw_distributions(axes: Axes, correlations: pd.DataFrame, methods: list[str]) -> None:
    axes.axvline(0, color="0.6", linewidth=0.6, zorder=0)
    for place, method in enumerate(methods):
        values = correlations[method].dropna().to_numpy()
        color = METHOD_STYLES["real" if method == CEILING else method].color
        if np.ptp(values) > 0:
            axes.violinplot(
                values, [place], orientation="horizontal", widths=0.85, showextrema=False
            )
            axes.collections[-1].set(facecolor=color, alpha=0.35, edgecolor="none")
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        axes.hlines(place, low, high, color=color, linewidth=2.5)
        axes.plot(middle, place, "o", color="white", markeredgecolor=color, markersize=4)
        axes.annotate(
            f"{middle:.2f}",
            (middle, place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
        )
    axes.set_xlabel("correlation", fontsize=SMALL)


def _draw_against_ceiling(axes: Axes, ceiling: pd.Series, generated: pd.Series, color: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.3", linewidth=0.8, linestyle="--")
    axes.axhline(0, color="0.6", linewidth=0.6)
    # As an image inside a vector file: tens of thousands of features are too many paths.
    axes.plot(
        ceiling,
        generated,
        ".",
        color=color,
        markersize=2.5,
        alpha=min(0.9, 0.25 + 100 / len(ceiling)),
        mew=0,
        rasterized=True,
    )
    axes.set_xlim(right=1)
