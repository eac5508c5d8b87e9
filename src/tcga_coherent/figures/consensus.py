"""Figure of the ensembles' consensus weights (the paper's S8 Appendix)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.modality import ModalityConfig

# Experts beside the denoisers of one source: name in legends, and colour.
EXPERTS = {
    "multi": ("multi-condition", METHOD_STYLES["multi"].color),
    "linear": ("linear experts, sum", "#000000"),
    "standard_normal": ("standard normal", "#999999"),
}


def draw_consensus_weights(
    weights: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw the weights of each target's ensemble of all sources over the noise levels.

    Parameters
    ----------
    weights
        Columns ``target``, ``expert`` (``denoiser``; ``linear``, of which the sum is drawn; ``multi`` or
        ``standard_normal``), ``source``, ``timestep``, ``composed``, ``learned`` and ``inverse_mse``.
    modalities
        Labels and colours.
    """
    figure = Figure(figsize=(3.2 * len(modalities), 3.8), layout="constrained")
    axes = figure.subplots(1, len(modalities), sharey=True, squeeze=False)[0]
    for panel, (target, config) in zip(axes, modalities.items(), strict=True):
        own = weights[weights["target"] == target]
        for source, curve in own[own["expert"] == "denoiser"].groupby("source", sort=False):
            color = modalities[str(source)].color
            panel.plot(curve["timestep"], curve["composed"], color=color)
            panel.plot(curve["timestep"], curve["learned"], "--", lw=1, color=color)
            panel.plot(curve["timestep"], curve["inverse_mse"], ":", color=color)
        for expert, (_, color) in EXPERTS.items():
            total = own[own["expert"] == expert].groupby("timestep")["composed"].sum()
            panel.plot(total.index, total, color=color)
        panel.axhline(0, color="black", lw=0.5)
        panel.set_title(f"Target {config.label}")
        panel.set_xlabel("timestep (0 is least noise)")
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("consensus weight")
    colors = {config.label: config.color for config in modalities.values()}
    handles = [
        Line2D([], [], color=color, label=f"from {label}") for label, color in colors.items()
    ]
    there = set(weights["expert"])
    handles += [
        Line2D([], [], color=color, label=label)
        for expert, (label, color) in EXPERTS.items()
        if expert in there
    ]
    for style, name in (("-", "composed"), ("--", "learned"), (":", "1/MSE")):
        handles.append(Line2D([], [], color="black", ls=style, label=name))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure
