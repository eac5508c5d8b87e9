"""Figure of a hyperparameter search."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.modality import ModalityConfig

LABELS = {
    "learning_rate": "learning rate",
    "learning_rate_schedule": "learning rate schedule",
    "batch_size": "batch size",
    "weight_decay": "weight decay",
    "ema_decay": "decay of the average",
    "mask_probability": "chance of a mask",
    "n_layers": "layers",
    "hidden_dim": "hidden size",
    "time_dim": "time embedding",
    "condition_dim": "condition embedding",
}
SCORE_LABELS = {"energy_score": "energy score", "mse": "MSE of draws"}

COMPLETE: dict[str, Any] = {"marker": "o", "color": "#0072B2", "markersize": 4, "linewidth": 0}
PRUNED: dict[str, Any] = {"marker": "x", "color": "#888888", "markersize": 4, "linewidth": 0}
BEST: dict[str, Any] = {"marker": "*", "color": "#D55E00", "markersize": 10, "linewidth": 0}
PRESENT: dict[str, Any] = {"color": "black", "linewidth": 0.8, "linestyle": "--"}
MEDIAN: dict[str, Any] = {"color": "black", "linewidth": 2.0}

COLUMNS = 3
PANEL_WIDTH, PANEL_HEIGHT = 2.8, 2.3  # inches
SPREAD = 0.3  # half of the width that trials of one value are spread over
SMALL = 8


def draw_tuning(
    trials: pd.DataFrame,
    hyperparameters: Sequence[str],
    criterion: str,
    modalities: Mapping[str, ModalityConfig],
) -> Figure:
    """Draw the validation score of the trials by value of each hyperparameter, and by model.

    Parameters
    ----------
    trials
        A row a trial and model: ``trial`` (0 has the present settings), ``model``, ``state``, a
        column a hyperparameter and one with the scores.
    hyperparameters, criterion
        Columns of the settings, and of the score; lower is better.
    modalities
        Labels.

    Returns
    -------
    matplotlib.figure.Figure
        Scores relative to those of the present settings: above a panel a hyperparameter, with the
        mean over the models; below one with each model.
    """
    present = trials[trials["trial"] == 0].set_index("model")[criterion]
    relative = trials.assign(change=100 * (trials[criterion] / trials["model"].map(present) - 1))
    means = relative.groupby("trial", as_index=False).agg(
        dict.fromkeys([*hyperparameters, "state"], "first") | {criterion: "mean"}
    )
    means["change"] = 100 * (means[criterion] / present.mean() - 1)
    # Equal trials are one training: the first stands for all.
    means["best"] = means.index == means["change"].idxmin()
    relative["best"] = relative.index.isin(relative.groupby("model")["change"].idxmin())

    n_rows = -(-len(hyperparameters) // COLUMNS)
    figure = Figure(
        figsize=(COLUMNS * PANEL_WIDTH, (n_rows + 1.3) * PANEL_HEIGHT), layout="constrained"
    )
    grid = figure.add_gridspec(n_rows + 1, COLUMNS, height_ratios=[1] * n_rows + [1.3])
    first = None
    for number, name in enumerate(hyperparameters):
        panel = figure.add_subplot(grid[divmod(number, COLUMNS)], sharey=first)
        first = first or panel
        _draw_groups(panel, means, name, sorted(means[name].unique()))
        panel.set_xlabel(LABELS[name], fontsize=SMALL)
        if number % COLUMNS == 0:
            panel.set_ylabel("mean of the models", fontsize=SMALL)
    models = list(present.index)
    panel = figure.add_subplot(grid[n_rows, :])
    _draw_groups(panel, relative, "model", models)
    panel.set_xticks(range(len(models)), [_model_label(m, modalities) for m in models])
    panel.set_ylabel("each model", fontsize=SMALL)
    figure.suptitle(
        f"Validation {SCORE_LABELS[criterion]} of {means['trial'].max()} trials relative to the "
        f"present settings (%), lower is better",
        fontsize=9,
    )
    figure.legend(
        handles=_legend(), loc="outside lower center", ncols=5, fontsize=SMALL, frameon=False
    )
    return figure


def _draw_groups(panel: Axes, rows: pd.DataFrame, column: str, groups: Sequence) -> None:
    """Draw the trials of each group side by side in their order."""
    for position, group in enumerate(groups):
        members = rows[rows[column] == group]
        spread = SPREAD if len(members) > 1 else 0.0
        x = position + np.linspace(-spread, spread, len(members))
        change = members["change"].to_numpy()
        pruned = (members["state"] == "pruned").to_numpy()
        panel.plot(x[~pruned], change[~pruned], **COMPLETE, zorder=2)
        panel.plot(x[pruned], change[pruned], **PRUNED, zorder=2)
        panel.hlines(np.median(change), position - 0.4, position + 0.4, **MEDIAN, zorder=3)
        best = members["best"].to_numpy()
        panel.plot(x[best], change[best], **BEST, zorder=4)
    panel.axhline(0, **PRESENT, zorder=1)
    panel.set_xticks(range(len(groups)), [str(group) for group in groups])
    panel.set_xlim(-0.6, len(groups) - 0.4)
    panel.tick_params(labelsize=SMALL)
    panel.spines[["top", "right"]].set_visible(False)


def _model_label(model: str, modalities: Mapping[str, ModalityConfig]) -> str:
    target, _, source = model.partition("_from_")
    label = modalities[target].label
    return f"{label}\nfrom\n{modalities[source].label}" if source else label


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], label=label, **style)
        for label, style in (
            ("trial", COMPLETE),
            ("pruned trial", PRUNED),
            ("best", BEST),
            ("median", MEDIAN),
            ("present settings", PRESENT),
        )
    ]
