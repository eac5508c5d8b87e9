"""Figure of the ensembles' consensus weights (the paper's S8 Appendix)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.modality import ModalityConfig


def draw_consensus_weights(
    weights: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw the weights of each target's ensemble of all sources over the noise levels.

    Parameters
    ----------
    weights
        Columns ``target``, ``source``, ``timestep``, ``learned`` and ``inverse_mse``.
    modalities
        Labels and colours.
    """
    figure = Figure(figsize=(3.2 * len(modalities), 3.4), layout="constrained")
    axes = figure.subplots(1, len(modalities), sharey=True, squeeze=False)[0]
    for panel, (target, config) in zip(axes, modalities.items(), strict=True):
        for source, curve in weights[weights["target"] == target].groupby("source", sort=False):
            color = modalities[str(source)].color
            label = modalities[str(source)].label
            panel.plot(curve["timestep"], curve["learned"], color=color, label=f"from {label}")
            panel.plot(curve["timestep"], curve["inverse_mse"], ":", color=color)
        panel.set_title(f"Target {config.label}")
        panel.set_xlabel("timestep (0 is least noise)")
        panel.legend(frameon=False, fontsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("consensus weight\nlearned (line), 1/MSE (dots)")
    axes[0].set_ylim(0, 1)
    return figure
