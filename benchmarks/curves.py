"""Validation score against training time, of the plain loop and of the engine."""

from collections.abc import Mapping

from matplotlib.figure import Figure

import results
from fast_training import FastRun
from plain_training import PlainRun


def draw_curves(plain: Mapping[str, PlainRun], fast: FastRun) -> Figure:
    """Draw validation score against training time, a panel a model.

    Parameters
    ----------
    plain
        Model to its plain training.
    fast
        The engine's training.
    """
    names: dict[str, list[str]] = {}
    for name in plain:
        names.setdefault(name.partition("_from_")[0], []).append(name)
    n_columns = max(len(group) for group in names.values())
    figure = Figure(figsize=(3.4 * n_columns, 2.5 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), n_columns, squeeze=False)
    for row, group in zip(panels, names.values(), strict=True):
        for panel, name in zip(row, group, strict=True):
            curve = fast.curve[fast.curve["model"] == name]
            panel.plot(
                [spent for _, spent, _ in plain[name].curve],
                [score for _, _, score in plain[name].curve],
                color=results.PLAIN_COLOR,
                linestyle="--",
                label="plain loop",
            )
            panel.plot(
                curve["share_of_seconds"],
                curve["score"],
                color=results.FAST_COLOR,
                label="engine, share of the stack's time",
            )
            panel.axhline(plain[name].best_score, color="black", linewidth=0.8, linestyle=":")
            panel.set_title(name.replace("_from_", " from "), fontsize=9)
            best = min(plain[name].best_score, curve["score"].min())
            panel.set_ylim(best * 0.99, best * 1.15)
            panel.set_xscale("log")
            panel.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel("energy score\n(validation)")
    for panel in panels[-1]:
        panel.set_xlabel("training time (s)")
    panels[0, 0].legend(fontsize=7, frameon=False)
    return figure
