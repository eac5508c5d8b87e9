"""Figure of how recalibration changes the draws of validation patients."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.modality import ModalityConfig

MARKERS = {"single": "o", "multi": "s", "coherent": "^"}


def draw_recalibration(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw the factor of the spread, and coverage on validation before and after.

    Parameters
    ----------
    table
        Columns ``target``, ``method``, ``spread``, and ``coverage_50`` and ``coverage_90`` with
        ``_before`` and ``_after``.
    modalities
        Labels and colours.
    """
    figure = Figure(figsize=(10.0, 3.6), layout="constrained")
    factors, *coverages = figure.subplots(1, 3)
    positions = {name: number for number, name in enumerate(modalities)}
    for (target, method), rows in table.groupby(["target", "method"], sort=False):
        style = {
            "marker": MARKERS[str(method)],
            "color": modalities[str(target)].color,
            "alpha": 0.7,
            "linestyle": "none",
        }
        offset = (list(MARKERS).index(str(method)) - 1) * 0.2
        factors.plot([positions[str(target)] + offset] * len(rows), rows["spread"], **style)
        for panel, level in zip(coverages, (50, 90), strict=True):
            before, after = rows[f"coverage_{level}_before"], rows[f"coverage_{level}_after"]
            x = [positions[str(target)] + offset] * len(rows)
            panel.plot(x, 100 * before, **{**style, "markerfacecolor": "none"})
            panel.plot(x, 100 * after, **style)
    factors.axhline(1, color="black", lw=0.8, ls=":")
    factors.set_ylabel("factor of the spread of a patient's draws")
    for panel, level in zip(coverages, (50, 90), strict=True):
        panel.axhline(level, color="black", lw=0.8, ls=":")
        panel.set_ylim(level - 10, min(100, level + 15))
        panel.set_ylabel(f"validation entries in {level} % intervals, %")
    for panel in (factors, *coverages):
        panel.set_xticks(list(positions.values()), [m.label for m in modalities.values()])
        panel.spines[["top", "right"]].set_visible(False)
    handles = [
        Line2D([], [], marker=marker, color="#555555", ls="none", label=method)
        for method, marker in MARKERS.items()
    ]
    for fill, name in (("none", "before"), ("#555555", "after")):
        handles.append(
            Line2D([], [], marker="D", color="#555555", ls="none", markerfacecolor=fill, label=name)
        )
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    figure.suptitle("A point is a target, a method and a set of sources", fontsize=10)
    return figure
