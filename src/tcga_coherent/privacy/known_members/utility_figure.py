"""The figure of privacy against usefulness over the length of training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tcga_coherent.figures.palette import METHOD_STYLES, method_key
from tcga_coherent.figures.panels import SMALL, WIDTH, legend_above
from tcga_coherent.privacy.known_members.shadows import SELECTED

PANEL_HEIGHT = 2.1
METHODS = ("single", "multi", "coherent")
PANELS = {
    "r2_of_mean": ("Usefulness", "R² of the mean draw"),
    "crps": ("Usefulness", "CRPS"),
    "lira_online_auroc": ("Membership, with references", "AUROC"),
    "lira_online_tpr_at_1_fpr": ("Membership, with references", "found at 1 % false positives"),
    "canary_draws_bits, within the distribution, 1 copy": ("Canaries, one copy", "exposure (bits)"),
}
AGAINST = ("r2_of_mean", "lira_online_auroc")


def draw_privacy_and_utility(table: pd.DataFrame) -> Figure:
    """Draw what models are worth and what they give away over the steps of training.

    Parameters
    ----------
    table
        Result of
        :func:`tcga_coherent.privacy.known_members.utility.weigh_privacy_and_utility`.

    Returns
    -------
    Figure
        A panel a measure over the steps, with a level line for the checkpoints that validation
        selects; the last panel holds membership against R2.
    """
    figure = Figure(figsize=(WIDTH, 2 * PANEL_HEIGHT + 0.5), layout="constrained")
    grid = figure.subplots(2, 3)
    for axes, (measure, (title, label)) in zip(grid.flat, PANELS.items(), strict=False):
        _draw_over_steps(axes, table[table["measure"] == measure])
        axes.set_title(title, fontsize=8, fontweight="bold")
        axes.set_ylabel(label, fontsize=SMALL)
        axes.set_xlabel("gradient steps", fontsize=SMALL)
        axes.tick_params(labelsize=SMALL)
    _draw_against(grid.flat[-1], table)
    legend_above(figure, _legend(table), 3)
    return figure


def _draw_over_steps(axes: Axes, rows: pd.DataFrame) -> None:
    for null in rows["null"].dropna().unique():
        axes.axhline(null, color="0.4", linewidth=0.8, linestyle="--")
    for method in METHODS:
        style = METHOD_STYLES[method]
        some = rows[rows["method"] == method].sort_values("steps")
        by_steps = some[some["steps"].notna()]
        axes.plot(
            by_steps["steps"], by_steps["value"], color=style.color, marker=style.marker,
            markersize=3.5, linewidth=1,
        )  # fmt: skip
        axes.vlines(
            by_steps["steps"], by_steps["low"], by_steps["high"], color=style.color, linewidth=1
        )
        for value in some.loc[some["checkpoint"] == SELECTED, "value"]:
            axes.axhline(value, color=style.color, linewidth=0.8, linestyle=":")
    if rows["steps"].notna().any():
        steps = sorted(rows["steps"].dropna().unique())
        axes.set_xscale("log")
        axes.set_xticks(steps, [f"{step:g}" for step in steps])
        axes.minorticks_off()


def _draw_against(axes: Axes, table: pd.DataFrame) -> None:
    wide = table[table["measure"].isin(AGAINST)].pivot_table(
        index=["method", "checkpoint"], columns="measure", values="value"
    )
    for method, rows in wide.reindex(columns=list(AGAINST)).dropna().groupby(level="method"):
        style = METHOD_STYLES[str(method)]
        rows = rows.droplevel("method")
        trained = rows.drop(index=SELECTED, errors="ignore")
        trained = trained.loc[sorted(trained.index, key=int)]
        axes.plot(
            trained[AGAINST[0]], trained[AGAINST[1]], color=style.color, marker=style.marker,
            markersize=3.5, linewidth=1,
        )  # fmt: skip
        for step, row in trained.iterrows():
            axes.annotate(
                str(step), (row[AGAINST[0]], row[AGAINST[1]]), fontsize=SMALL, color=style.color,
                textcoords="offset points", xytext=(4, -9),
            )  # fmt: skip
        if SELECTED in rows.index:
            axes.plot(
                *rows.loc[SELECTED, list(AGAINST)], style.marker, mfc="none", mec=style.color,
                markersize=7,
            )  # fmt: skip
    axes.margins(x=0.15)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.axhline(0.5, color="0.4", linewidth=0.8, linestyle="--")
    axes.set_title("Privacy against usefulness", fontsize=8, fontweight="bold")
    axes.set_xlabel(PANELS[AGAINST[0]][1], fontsize=SMALL)
    axes.set_ylabel("membership AUROC", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)


def _legend(table: pd.DataFrame) -> list[Line2D]:
    handles = [
        method_key(method, linewidth=1)
        for method in METHODS
        if (table["method"] == method).any()
    ]  # fmt: skip
    return [
        *handles,
        Line2D([], [], color="0.3", linestyle=":", label="selected on validation (open marker)"),
        Line2D([], [], color="0.4", linestyle="--", label="nothing leaks"),
    ]
