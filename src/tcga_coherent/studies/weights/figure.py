"""Figure of the consensus weights and of what each kind is worth (the paper's S8 Appendix)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from tcga_coherent.figures.panels import SMALL, WIDTH, legend_above, plain
from tcga_coherent.modality import ModalityConfig

EXPERT = "expert"
EXPERT_COLOR = "#777777"
WEIGHT_LABELS = {
    "inverse_mse": "1/MSE (paper)",
    "equal": "equal",
    "learned": "learned",
    "composed": "composed",
    "composed_trained": "composed,\ntrained expert",
}
REFERENCE = "inverse_mse"
# Differences on the same patients have narrower intervals than either of two scores has.
MEASURES = {
    "r2_of_mean": "R² of the mean draw",
    "r2_of_mean_gain": "R² above 1/MSE",
    "crps_gain": "CRPS above 1/MSE\n(lower is better)",
}
ROW_HEIGHT = 0.3


def draw_weights(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw each kind of consensus weights, and what R2 and CRPS gain by it.

    Parameters
    ----------
    table
        A row a ``target`` and kind of ``weights``: ``weight_<source>``, ``weight_expert``, and the
        columns of :func:`tcga_coherent.measures.ensemble_scores.summarise_scores`.
    modalities
        Labels and colours, in the order of the panels.
    """
    kinds = list(dict.fromkeys(table["weights"]))
    height = ROW_HEIGHT * len(kinds) + 0.35
    figure = Figure(figsize=(WIDTH, 4.6 * height + 0.5), layout="constrained")
    panels = figure.subplots(
        4, len(modalities), squeeze=False, sharey=True, height_ratios=[1.6, 1, 1, 1]
    )
    for column, (target, config) in enumerate(modalities.items()):
        rows = table[table["target"] == target].set_index("weights").loc[kinds]
        weights, *others = panels[:, column]
        _draw_bars(weights, rows, modalities)
        weights.set_title(config.label, fontsize=9, fontweight="bold")
        weights.set_xlabel("weight", fontsize=SMALL)
        for panel, (name, label) in zip(others, MEASURES.items(), strict=True):
            _draw_measure(panel, rows, name, config.color)
            panel.set_xlabel(label, fontsize=SMALL)
        for panel in panels[:, column]:
            # Differences of CRPS have long labels.
            panel.xaxis.set_major_locator(MaxNLocator(2 if panel is others[-1] else 4))
            plain(panel)
    panels[0, 0].set_yticks(range(len(kinds)), [WEIGHT_LABELS[kind] for kind in kinds])
    panels[0, 0].invert_yaxis()
    handles = [Patch(color=c.color, label=f"from {c.label}") for c in modalities.values()]
    handles.append(Patch(color=EXPERT_COLOR, label="expert without a source"))
    legend_above(figure, handles, len(handles))
    n_patients = int(table["n_patients"].min())
    figure.supxlabel(
        f"Weights: means over the noise levels. Lines: intervals over {n_patients} test patients.",
        fontsize=SMALL,
    )
    return figure


def _draw_bars(axes: Axes, rows: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> None:
    """Draw a group of bars, one a source and one for the expert, for each kind of weights."""
    colors = {name: config.color for name, config in modalities.items()} | {EXPERT: EXPERT_COLOR}
    shown = [name for name in colors if rows[f"weight_{name}"].notna().any()]
    thickness = 0.8 / len(shown)
    for number, name in enumerate(shown):
        offset = (number - (len(shown) - 1) / 2) * thickness
        axes.barh(
            np.arange(len(rows)) + offset, rows[f"weight_{name}"], thickness, color=colors[name]
        )
    axes.axvline(0, color="black", linewidth=0.6)


def _draw_measure(axes: Axes, rows: pd.DataFrame, name: str, color: str) -> None:
    """Draw a measure and its interval; a dashed line marks the paper's weights."""
    value = f"{name}_mean" if f"{name}_mean" in rows else name
    positions = range(len(rows))
    axes.hlines(positions, rows[f"{name}_low"], rows[f"{name}_high"], color=color, linewidth=1.2)
    axes.plot(rows[value], positions, "o", color=color, markersize=4)
    axes.axvline(rows[value][REFERENCE], color="0.5", linewidth=0.7, linestyle="--")
