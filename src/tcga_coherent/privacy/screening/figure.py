"""How close generated records and held-out patients come to training patients."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from matplotlib.typing import LineStyleType

from tcga_coherent.figures.palette import METHOD_LABELS, METHOD_STYLES
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.privacy.screening.experiment import (
    ALL,
    COMPLETED,
    HELD_OUT,
    OTHERS,
    REGENERATED,
    TEST,
    Screened,
)

LINES: dict[tuple[str, str], tuple[str, LineStyleType]] = {
    (HELD_OUT, ALL): ("held-out patients, measured", "-"),
    (TEST, ALL): ("drawn for test patients", "-"),
    (COMPLETED, ALL): ("completed patients", (0, (5, 1.5))),
    (REGENERATED, ALL): ("drawn for training patients, own record included", ":"),
    (REGENERATED, OTHERS): ("the same, own record left out", (0, (4, 1.5, 1, 1.5))),
}


def draw_screening(
    screened: list[Screened], skipped: Mapping[str, str], modalities: Mapping[str, ModalityConfig]
) -> Figure:
    """Draw the share of draws closer to a training patient than a distance, a panel a modality.

    Parameters
    ----------
    screened, skipped
        Result of :func:`tcga_coherent.privacy.screening.experiment.screen`.
    modalities
        Labels of the panels.
    """
    n_rows = (len(modalities) + 1) // 2
    figure = Figure(figsize=(7.2, 2.6 * n_rows + 1.1), layout="constrained")
    panels = figure.subplots(n_rows, 2, squeeze=False).ravel()
    draws = [one for one in screened if one.generated.kind == "draw" and len(one.statistic)]
    for axes, (name, modality) in zip(panels, modalities.items(), strict=False):
        axes.set_title(modality.label, fontsize=9, fontweight="bold")
        if name in skipped:
            axes.text(
                0.5, 0.5, skipped[name], transform=axes.transAxes, ha="center", va="center",
                fontsize=7, wrap=True,
            )  # fmt: skip
            axes.set_axis_off()
            continue
        _panel(axes, [one for one in draws if one.generated.modality == name])
        axes.set_xlabel("distance to the closest training patient", fontsize=8)
    for axes in panels[len(modalities) :]:
        axes.set_axis_off()
    figure.supylabel("share of records that are closer", fontsize=8)
    shown = dict.fromkeys((one.generated.origin, one.against) for one in draws)
    methods = dict.fromkeys(one.generated.method for one in draws)
    handles = [
        Line2D([], [], color="#555555", linestyle=LINES[key][1], label=LINES[key][0])
        for key in LINES
        if key in shown and key[0] != HELD_OUT
    ] + [
        Line2D([], [], color=METHOD_STYLES[method].color, label=METHOD_LABELS[method])
        for method in methods
        if method != "real"
    ]
    handles += [
        Line2D([], [], color=METHOD_STYLES["real"].color, lw=2, label=LINES[HELD_OUT, ALL][0]),
        Line2D([], [], color="#CC3311", lw=1, label="threshold: flagged on its left"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=7, frameon=False)
    return figure


def _panel(axes: Axes, screened: list[Screened]) -> None:
    for one in screened:
        generated = one.generated
        axes.step(
            np.sort(one.statistic),
            np.arange(1, len(one.statistic) + 1) / len(one.statistic),
            where="post",
            color=METHOD_STYLES[generated.method].color,
            linestyle=LINES[generated.origin, one.against][1],
            linewidth=2 if generated.origin == HELD_OUT else 1,
            zorder=3 if generated.origin == HELD_OUT else 2,
            rasterized=True,
        )
    threshold = screened[0].threshold
    axes.axvline(threshold.value, color="#CC3311", linewidth=1)
    axes.axhline(threshold.nominal, color="#BBBBBB", linewidth=0.8, zorder=0)
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 1.3)
    axes.set_xlim(0, max(float(np.quantile(one.statistic, 0.99)) for one in screened))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axes.tick_params(labelsize=7)
