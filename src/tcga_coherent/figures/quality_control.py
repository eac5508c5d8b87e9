"""Figure of what preprocessing removed and how patients were split."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Apart in brightness too, and none is a modality's.
SPLIT_COLORS = {"train": "#CCCCCC", "val": "#E69F00", "test": "#444444"}
EXCLUDED_COLOR = "#000000"
SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test"}


def draw_quality_control(
    quality_control: pd.DataFrame,
    split_table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colors: Mapping[str, str],
) -> Figure:
    """Draw features by step, patients by modality and patients by split.

    Parameters
    ----------
    quality_control
        One row a modality and step, with columns ``modality``, ``step``, ``patients_before``,
        ``patients_after``, ``features_before``, ``features_after`` and ``imputed_share``.
    split_table
        One row a cancer type, with columns ``cancer_type``, ``train``, ``val`` and ``test``.
    labels, colors
        Name and colour of each modality.
    """
    figure = Figure(figsize=(13, 6.5), layout="constrained")
    axes = figure.subplot_mosaic(
        [["features", "split"], ["patients", "split"]], width_ratios=[3, 2], height_ratios=[3, 1]
    )
    draw_features(axes["features"], quality_control, labels, colors)
    draw_patients(axes["patients"], quality_control, labels, colors)
    draw_split(axes["split"], split_table)
    return figure


def draw_features(
    axes: Axes, quality_control: pd.DataFrame, labels: Mapping[str, str], colors: Mapping[str, str]
) -> None:
    """One bar for each step that removed features, and one for what was left."""
    names: list[str] = []
    left: list[int] = []
    shares: list[float] = []
    bar_colors: list[str] = []
    for modality, label in labels.items():
        rows = quality_control[quality_control["modality"] == modality]
        removing = rows[rows["features_after"] < rows["features_before"]]
        total = int(rows["features_before"].iloc[0])
        after = [total, *removing["features_after"].astype(int)]
        names += [f"{label}: input", *removing["step"].str.replace("_", " ")]
        left += after
        shares += [100 * number / total for number in after]
        bar_colors += [colors[modality]] * len(after)
    axes.barh(range(len(names)), shares, color=bar_colors)
    for position, (number, share) in enumerate(zip(left, shares, strict=True)):
        axes.text(share + 1, position, f"{number:,}", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("features left (% of input)")
    axes.set_title("Features after each step that removed some", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def draw_patients(
    axes: Axes, quality_control: pd.DataFrame, labels: Mapping[str, str], colors: Mapping[str, str]
) -> None:
    """One bar a modality: patients kept, with those left out and the imputed share in words."""
    widest = quality_control["patients_before"].max()
    for position, modality in enumerate(labels):
        rows = quality_control[quality_control["modality"] == modality]
        found, kept = int(rows["patients_before"].iloc[0]), int(rows["patients_after"].iloc[-1])
        imputed = 100 * rows["imputed_share"].iloc[-1]
        axes.barh(position, kept, color=colors[modality])
        axes.barh(position, found - kept, left=kept, color=EXCLUDED_COLOR)
        note = f"{kept:,} kept, {found - kept:,} left out, {imputed:.2g} % of values imputed"
        axes.text(found + 0.01 * widest, position, note, va="center", fontsize=8)
    axes.set_yticks(range(len(labels)), list(labels.values()), fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 2 * widest)
    axes.set_xlabel("patients")
    axes.set_title("Patients of each modality (black: left out)", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def draw_split(axes: Axes, split_table: pd.DataFrame) -> None:
    """One bar a cancer type, divided by split."""
    positions = np.arange(len(split_table))
    start = np.zeros(len(split_table))
    for part, color in SPLIT_COLORS.items():
        count = split_table[part].to_numpy()
        label = f"{SPLIT_NAMES[part]} ({count.sum():,})"
        axes.barh(positions, count, left=start, color=color, label=label)
        start += count
    axes.set_yticks(positions, split_table["cancer_type"], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("patients")
    axes.set_title("Split by cancer type", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
