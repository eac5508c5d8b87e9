"""Figure of the encoders' training and of what their latents lose."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.modality import ModalityConfig

PCA_COLOR = "#BBBBBB"
BAR_WIDTH = 0.38

TRAINING_STYLE: dict[str, Any] = {"linestyle": "--"}
VALIDATION_STYLE: dict[str, Any] = {"linestyle": "-"}
KEPT_STYLE: dict[str, Any] = {"linestyle": "", "marker": "o"}
PCA_STYLE: dict[str, Any] = {"linestyle": ":", "linewidth": 0.8, "color": "black"}


def draw_embedding(
    table: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
    modalities: Mapping[str, ModalityConfig],
) -> Figure:
    """Draw training curves and the reconstruction of test patients beside PCA.

    Parameters
    ----------
    table
        One row a modality: ``modality``, ``encoder``, ``latent_size``, ``rows_test``, ``r2_test``,
        ``pca_r2_test``.
    histories
        Modality to frame with ``epoch``, ``train_mse``, ``val_mse`` and ``kept``; epoch 0 is PCA.
        Modalities without an epoch get no panel.
    modalities
        Labels and colours.
    """
    trained = [name for name in table["modality"] if len(histories[name])]
    figure = Figure(figsize=(3.1 * len(trained) + 5.0, 3.8), layout="constrained")
    panels = figure.subplots(
        1, len(trained) + 1, width_ratios=[3.1] * len(trained) + [5.0], squeeze=False
    )[0]
    for axes, name in zip(panels, trained, strict=False):
        draw_training(axes, histories[name], modalities[name])
    if trained:
        panels[0].set_ylabel("reconstruction error\n(MSE, standardised features)")
        figure.legend(handles=training_legend(), loc="outside lower left", ncols=4, frameon=False)
    draw_reconstruction(panels[-1], table, modalities)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_training(axes: Axes, history: pd.DataFrame, modality: ModalityConfig) -> None:
    """Draw both errors over the epochs, PCA's level, and a dot at the weights that are kept."""
    kept = history[history["kept"]]
    axes.axhline(history["val_mse"].iloc[0], **PCA_STYLE)
    axes.plot(history["epoch"], history["train_mse"], color=modality.color, **TRAINING_STYLE)
    axes.plot(history["epoch"], history["val_mse"], color=modality.color, **VALIDATION_STYLE)
    axes.plot(kept["epoch"], kept["val_mse"], color=modality.color, **KEPT_STYLE)
    axes.set_title(modality.label)
    axes.set_xlabel("epoch")
    axes.margins(y=0.1)


def training_legend() -> list[Line2D]:
    """Return what the lines mean, in black for all modalities."""
    styles = {
        "training (dropout on)": TRAINING_STYLE,
        "validation": VALIDATION_STYLE,
        "kept": KEPT_STYLE,
    }
    lines = [Line2D([], [], color="black", label=label, **style) for label, style in styles.items()]
    return [*lines, Line2D([], [], label="validation, PCA of the same size", **PCA_STYLE)]


def draw_reconstruction(
    axes: Axes, table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> None:
    """Draw the R2 of each encoder and of PCA with as many dimensions."""
    places = np.arange(len(table))
    configs = [modalities[name] for name in table["modality"]]
    bars = axes.bar(
        places - BAR_WIDTH / 2, table["r2_test"], BAR_WIDTH, color=[c.color for c in configs]
    )
    rivals = axes.bar(
        places + BAR_WIDTH / 2,
        table["pca_r2_test"],
        BAR_WIDTH,
        color=PCA_COLOR,
        edgecolor="black",
        linewidth=0.5,
        label="PCA of the same size",
    )
    for container in (bars, rivals):
        axes.bar_label(container, fmt="%.2f", fontsize=8, padding=2)
    sizes = table["latent_size"].astype(str) + " of " + table["features"].astype(str)
    kinds = table["encoder"].replace("pca", "PCA")
    labels = [config.label for config in configs]
    axes.set_xticks(places, [*map("\n".join, zip(labels, kinds, sizes, strict=True))], fontsize=9)
    axes.set_ylim(min(0.0, table[["r2_test", "pca_r2_test"]].min().min()), 1.08)
    axes.set_ylabel("R² of reconstruction, test patients")
    axes.legend(fontsize=8, frameon=False, loc="upper left")
