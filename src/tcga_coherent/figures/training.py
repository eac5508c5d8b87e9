"""Figure of the denoisers' training curves."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.modality import ModalityConfig


def draw_training_curves(
    histories: Mapping[str, pd.DataFrame], modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw training loss and validation energy score over the gradient steps.

    Parameters
    ----------
    histories
        Family (single, multi) to frame with columns ``model``, ``step``, ``train_loss``,
        ``energy_score`` and ``best``.
    modalities
        Labels and colours. A line has the colour of its source (single) or target (multi).

    Returns
    -------
    matplotlib.figure.Figure
        A column a target; training loss above, energy score below, where a dot marks the checkpoint
        that is kept.
    """
    targets = list(modalities)
    figure = Figure(figsize=(3.2 * len(targets), 6.0), layout="constrained")
    axes = figure.subplots(2, len(targets), sharex=True, sharey="row", squeeze=False)
    for family, history in histories.items():
        for model, curve in history.groupby("model", sort=False):
            target, _, source = str(model).partition("_from_")
            column = targets.index(target)
            label = f"from {modalities[source].label}" if source else "multi-condition"
            color = modalities[source].color if source else "black"
            style = "-" if family == "single" else "--"
            axes[0, column].plot(
                curve["step"], curve["train_loss"], style, color=color, label=label
            )
            axes[1, column].plot(curve["step"], curve["energy_score"], style, color=color)
            kept = curve[curve["best"]].tail(1)
            axes[1, column].plot(kept["step"], kept["energy_score"], "o", color=color, markersize=5)
    for column, target in enumerate(targets):
        axes[0, column].set_title(f"Target {modalities[target].label}")
        axes[0, column].legend(fontsize=8, frameon=False)
        axes[1, column].set_xlabel("gradient step")
    axes[0, 0].set_ylabel("training loss (MSE)")
    axes[1, 0].set_ylabel("energy score (validation)\nlower is better, dot = kept")
    for panel in axes.flat:
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(y=0.1)
    # The first validations are far off and would squash the rest.
    scores = pd.concat([history["energy_score"] for history in histories.values()])
    axes[1, 0].set_ylim(scores.min() * 0.98, scores.quantile(0.95) * 1.02)
    return figure
