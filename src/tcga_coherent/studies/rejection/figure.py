"""Figure of the rejection rule's threshold (the paper's S9 Appendix)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.figures.panels import SMALL, WIDTH, band, legend_above, plain
from tcga_coherent.modality import ModalityConfig

PRESENT = "present"
PAPER_LIKE = "paper_like"
SETTINGS_LABELS = {PRESENT: "settings in use", PAPER_LIKE: "1/MSE weights,\nstochastic even steps"}
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def draw_rejection(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw what is rejected, and what draws are worth, against the threshold.

    Parameters
    ----------
    table
        A row a ``settings``, ``target`` and ``threshold`` with the shares of draws and the columns
        of :func:`tcga_coherent.measures.ensemble_scores.summarise_scores`.
    modalities
        Labels and colours.
    """
    settings = list(dict.fromkeys(table["settings"]))
    figure = Figure(figsize=(WIDTH, 1.75 * len(settings) + 0.7), layout="constrained")
    panels = figure.subplots(len(settings), 3, squeeze=False, sharex=True)
    for line, name in enumerate(settings):
        rejected, fidelity, score = panels[line]
        for (target, config), marker in zip(modalities.items(), MARKERS, strict=False):
            rows = table[(table["settings"] == name) & (table["target"] == target)]
            rows = rows.sort_values("threshold")
            style = {"color": config.color, "marker": marker, "markersize": 3.5, "linewidth": 1}
            rejected.plot(rows["threshold"], 100 * rows["redrawn_share"], **style)
            rejected.plot(
                rows["threshold"], 100 * rows["rejected_share"], **style | {"linestyle": ":"}
            )
            for panel, measure in ((fidelity, "r2_of_mean"), (score, "crps")):
                panel.plot(rows["threshold"], rows[f"{measure}_mean"], **style)
                band(
                    panel,
                    rows["threshold"],
                    rows[f"{measure}_low"],
                    rows[f"{measure}_high"],
                    config.color,
                )
        rejected.set_ylim(bottom=0, top=max(1.0, rejected.get_ylim()[1]))
        rejected.set_ylabel(SETTINGS_LABELS[name], fontsize=SMALL + 1, fontweight="bold")
        for panel in panels[line]:
            plain(panel)
    titles = ("draws made again, %", "R² of the mean draw", "CRPS")
    for panel, title in zip(panels[0], titles, strict=True):
        panel.set_title(title, fontsize=SMALL + 1)
    for panel in panels[-1]:
        panel.set_xlabel("threshold of the cosine distance", fontsize=SMALL)
    handles = [
        Line2D([], [], color=config.color, marker=marker, markersize=3.5, label=config.label)
        for config, marker in zip(modalities.values(), MARKERS, strict=False)
    ]
    handles += [
        Line2D([], [], color="0.3", linestyle=":", label="still rejected at the last attempt"),
        Line2D([], [], color="0.3", alpha=0.2, linewidth=5, label="interval over test patients"),
    ]
    legend_above(figure, handles, len(handles))
    return figure
