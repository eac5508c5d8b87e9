"""Figure of the latent sizes (the paper's S10 Appendix)."""

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from tcga_coherent.figures.palette import METHOD_LABELS, METHOD_STYLES, Style
from tcga_coherent.figures.panels import SMALL, WIDTH, band, legend_above, plain
from tcga_coherent.modality import ModalityConfig

STYLES = {
    "real": METHOD_STYLES["real"],
    "multi": METHOD_STYLES["multi"],
    "coherent": METHOD_STYLES["coherent"],
}
LABELS = {
    "real": "Measured (features: encoded and decoded)",
    "multi": METHOD_LABELS["multi"],
    "coherent": METHOD_LABELS["coherent"],
}
PANELS = (
    ("decoded", "r2_of_mean", "R² of features"),
    ("decoded", "crps", "CRPS of features"),
    ("latent", "r2_of_mean", "R² of latents"),
    ("latent", "type_f1", "cancer type from\nlatents, macro F1"),
)


def draw_latent_sizes(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw R2 and CRPS against the size of the latents.

    Parameters
    ----------
    table
        A row a ``latent_size``, ``target``, ``method`` and ``space`` with the columns of
        :func:`tcga_coherent.measures.ensemble_scores.summarise_scores` and ``note``.
    modalities
        Labels, in the order of the panels.
    """
    figure = Figure(figsize=(WIDTH, 1.6 * len(PANELS) + 0.6), layout="constrained")
    panels = figure.subplots(len(PANELS), len(modalities), squeeze=False, sharex=True)
    sizes = sorted(table["latent_size"].unique())
    for column, (target, config) in enumerate(modalities.items()):
        panels[0, column].set_title(config.label, fontsize=9, fontweight="bold")
        for line, (space, measure, label) in enumerate(PANELS):
            axes = panels[line, column]
            rows = table[(table["target"] == target) & (table["space"] == space)]
            for method in STYLES:
                _draw_curve(axes, rows[rows["method"] == method], measure, STYLES[method])
            if column == 0:
                axes.set_ylabel(label, fontsize=SMALL)
            axes.set_xscale("log", base=2)
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.xaxis.set_minor_locator(NullLocator())
            plain(axes)
        panels[-1, column].set_xlabel("latent dimensions", fontsize=SMALL)
    handles = [
        Line2D([], [], color=style.color, marker=style.marker, markersize=4, label=LABELS[method])
        for method, style in STYLES.items()
    ]
    handles.append(
        Line2D([], [], color="0.3", alpha=0.25, linewidth=5, label="interval over test patients")
    )
    legend_above(figure, handles, 4)
    notes = table[table["note"] != ""]
    lines = []
    for (size, note), rows in notes.groupby(["latent_size", "note"], sort=False):
        labels = ", ".join(modalities[target].label for target in rows["target"].unique())
        lines += textwrap.wrap(f"{labels} at {size}: {note}", width=120)
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=SMALL)
    return figure


def _draw_curve(axes: Axes, rows: pd.DataFrame, measure: str, style: Style) -> None:
    value = f"{measure}_mean"
    if value not in rows or rows[value].isna().all():
        return
    rows = rows.sort_values("latent_size")
    axes.plot(
        rows["latent_size"],
        rows[value],
        color=style.color,
        marker=style.marker,
        markersize=4,
        linewidth=1,
    )
    band(axes, rows["latent_size"], rows[f"{measure}_low"], rows[f"{measure}_high"], style.color)
