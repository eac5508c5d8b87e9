"""The figure of what coherence says of error."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_curve

from tcga_coherent.figures.panels import SMALL, band
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.studies.coherence.probe import Floats, Generation, generations, matched
from tcga_coherent.studies.coherence.table import REJECTED_PERCENT

PANEL_WIDTH = 1.8  # inches: four targets make the text width of a page
N_GROUPS = 8
# The paper's statistic is dashed, that of the sources solid.
LINES: dict[str, Literal["--", "-"]] = {"cosine_distance": "--", "disagreement": "-"}
LABELS = {
    "cosine_distance": "cosine distance of noise estimates",
    "disagreement": "disagreement of the sources",
}


def draw_coherence_error(
    probe: pd.DataFrame, table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw error against coherence, kept against rejected draws, and the search for swaps.

    Parameters
    ----------
    probe
        Dataset ``coherence_probe``.
    table
        Result of :func:`tcga_coherent.studies.coherence.table.coherence_error_table` for it.
    modalities
        Labels and colours.

    Returns
    -------
    Figure
        A column a target. Rows: error of a patient's mean draw against either statistic; error of
        the draws that are kept when the least coherent ones are rejected; ROC curves of patients
        with a swapped source, in its colour.
    """
    targets = [name for name in modalities if (table["target"] == name).any()]
    if not targets:
        figure = Figure(figsize=(2 * PANEL_WIDTH, 1), layout="constrained")
        figure.text(0.5, 0.5, "No target has two sources that could disagree.", ha="center")
        return figure
    figure = Figure(figsize=(PANEL_WIDTH * len(targets), 8.4), layout="constrained")
    grid = figure.subplots(4, len(targets), squeeze=False, sharey="row")
    for column, target in zip(grid.T, targets, strict=True):
        config = modalities[target]
        rows = table[table["target"] == target]
        by_swap = generations(probe, target)
        usual = by_swap.pop("")
        column[0].set_title(config.label, fontsize=9, fontweight="bold", color=config.color)
        for axes, statistic in zip(column[:2], LINES, strict=True):
            _draw_patients(axes, usual, statistic, rows, config.color)
        _draw_kept(column[2], rows, config.color)
        _draw_roc(column[3], usual, by_swap, rows, modalities)
    grid[0, 0].set_ylabel("squared error\nof the mean draw", fontsize=SMALL)
    grid[1, 0].set_ylabel("squared error\nof the mean draw", fontsize=SMALL)
    grid[2, 0].set_ylabel("error of the kept draws\n(all draws: 100 %)", fontsize=SMALL)
    grid[3, 0].set_ylabel("swapped patients found", fontsize=SMALL)
    for axes in figure.axes:
        axes.tick_params(labelsize=SMALL, which="both")
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        handles=[
            Line2D([], [], color="0.3", linewidth=1, linestyle=line, label=LABELS[name])
            for name, line in LINES.items()
        ],
        loc="outside upper center",
        ncols=2,
        fontsize=SMALL,
        frameon=False,
    )
    return figure


def _draw_patients(
    axes: Axes, usual: Generation, statistic: str, rows: pd.DataFrame, color: str
) -> None:
    values = usual.of_patients(statistic)
    known = np.isfinite(values)
    axes.set_xlabel(LABELS[statistic].replace(" of ", "\nof "), fontsize=SMALL)
    if not known.any():
        _say(axes, "not defined")
        return
    values, errors = values[known], usual.error_of_mean[known]
    axes.plot(values, errors, ".", color="0.75", markersize=2, zorder=1)
    groups = np.array_split(np.argsort(values), min(N_GROUPS, len(values)))
    axes.plot(
        [values[group].mean() for group in groups],
        [errors[group].mean() for group in groups],
        "o-",
        color=color,
        markersize=3,
        linewidth=1,
    )
    row = _find(rows, "spearman", statistic).iloc[0]
    _say(axes, f"ρ = {row['value']:.2f}\n[{row['low']:.2f}, {row['high']:.2f}]")
    axes.set_yscale("log")


def _draw_kept(axes: Axes, rows: pd.DataFrame, color: str) -> None:
    axes.axhline(100, color="0.6", linewidth=0.6, zorder=0)
    for statistic, line in LINES.items():
        own = _find(rows, "relative_error_of_kept", statistic)
        percent = own["point"].to_numpy(float)
        low, value, high = (100 * own[name].to_numpy(float) for name in ("low", "value", "high"))
        band(axes, percent, low, high, color, 0.15)
        axes.plot(percent, value, line, color=color, marker="o", markersize=2.5, linewidth=1)
    kept, rejected = (_find(rows, f"error_of_{name}").iloc[0] for name in ("kept", "rejected"))
    n_draws = kept["n_draws"] + rejected["n_draws"]
    text = f"the rule rejects none of {n_draws} draws"
    if rejected["n_draws"]:
        text = (
            f"the rule rejects {rejected['n_draws']} of {n_draws} draws,\n"
            f"error {rejected['value']:.2f} against {kept['value']:.2f} of the kept"
        )
    within = _find(rows, "spearman_within_patient", "cosine_distance")["value"].iloc[0]
    axes.set_title(f"{text}\nρ of a patient's draws {within:.2f}", fontsize=6, loc="left")
    axes.set_xlim(0, max(REJECTED_PERCENT) + 5)
    axes.set_xlabel("least coherent draws\nrejected (%)", fontsize=SMALL)


def _draw_roc(
    axes: Axes,
    usual: Generation,
    by_swap: Mapping[str, Generation],
    rows: pd.DataFrame,
    modalities: Mapping[str, ModalityConfig],
) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.6, zorder=0)
    axes.set_xlabel("other patients suspected", fontsize=SMALL)
    for swapped, generation in by_swap.items():
        config = modalities[swapped]
        areas = []
        for statistic, line in LINES.items():
            without, with_swap = matched(usual, generation, statistic)
            if len(without) == 0:
                areas.append("none")
                continue
            axes.plot(*_roc(without, with_swap), line, color=config.color, linewidth=1)
            own = _find(rows, "auroc", statistic)
            areas.append(f"{own.loc[own['swapped'] == swapped, 'value'].iloc[0]:.2f}")
        cosine, disagreement = areas
        axes.plot([], [], color=config.color, label=f"{config.label} {disagreement} ({cosine})")
    if by_swap:
        axes.legend(
            fontsize=6,
            frameon=False,
            handlelength=1,
            borderaxespad=0,
            loc="lower right",
            title="AUROC solid (dashed)",
            title_fontsize=6,
        )
    else:
        _say(axes, "no source\nwas swapped")


def _roc(without: Floats, with_swap: Floats) -> tuple[Floats, Floats]:
    labels = np.repeat([0, 1], [len(without), len(with_swap)])
    false, true, _ = roc_curve(labels, np.concatenate([without, with_swap]))
    return false, true


def _find(rows: pd.DataFrame, measure: str, statistic: str | None = None) -> pd.DataFrame:
    own = rows[rows["measure"] == measure]
    return own if statistic is None else own[own["statistic"] == statistic]


def _say(axes: Axes, text: str) -> None:
    box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}
    axes.text(0.04, 0.98, text, transform=axes.transAxes, va="top", fontsize=6, bbox=box)
