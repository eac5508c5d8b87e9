"""Figure of the consensus weights and of what each kind is worth (the paper's S8 Appendix)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

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
WIDTH = 7.2  # inches: the text width of a page
ROW_HEIGHT = 0.3
SMALL = 7


def draw_weights(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw each kind of consensus weights, and R2 and CRPS of the draws that it gives.

    Parameters
    ----------
    table
        A row a ``target`` and kind of ``weights``: ``weight_<source>``, ``weight_expert``, and the
        columns of :func:`tcga_coherent.evaluation.ensemble_scores.summarise_scores`.
    modalities
        Labels and colours, in the order of the panels.
    """
    kinds = list(dict.fromkeys(table["weights"]))
    height = ROW_HEIGHT * len(kinds) + 0.35
    figure = Figure(figsize=(WIDTH, 3.6 * height + 0.5), layout="constrained")
    panels = figure.subplots(
        3, len(modalities), squeeze=False, sharey=True, height_ratios=[1.6, 1, 1]
    )
    for column, (target, config) in enumerate(modalities.items()):
        rows = table[table["target"] == target].set_index("weights").loc[kinds]
        weights, fidelity, score = panels[:, column]
        _draw_bars(weights, rows, modalities)
        weights.set_title(config.label, fontsize=9, fontweight="bold")
        _draw_measure(fidelity, rows, "r2_of_mean", config.color)
        _draw_measure(score, rows, "crps", config.color)
        for panel, label in (
            (weights, "weight"),
            (fidelity, "R² of the mean draw"),
            (score, "CRPS"),
        ):
            panel.set_xlabel(label, fontsize=SMALL)
            panel.tick_params(labelsize=SMALL)
            panel.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_yticks(range(len(kinds)), [WEIGHT_LABELS[kind] for kind in kinds])
    panels[0, 0].invert_yaxis()
    handles = [Patch(color=c.color, label=f"from {c.label}") for c in modalities.values()]
    handles.append(Patch(color=EXPERT_COLOR, label="expert without a source"))
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=len(handles),
        fontsize=SMALL,
        frameon=False,
    )
    n_patients = int(table["n_patients"].min())
    figure.supxlabel(
        f"Weights: means over the noise levels. Bars: interval over {n_patients} test patients.",
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
    positions = range(len(rows))
    axes.hlines(positions, rows[f"{name}_low"], rows[f"{name}_high"], color=color, linewidth=1.2)
    axes.plot(rows[f"{name}_mean"], positions, "o", color=color, markersize=4)
    # The difference between kinds has a narrower interval than either: same patients, same noise.
    axes.axvline(rows[f"{name}_mean"].iloc[0], color="0.6", linewidth=0.6, linestyle="--")
