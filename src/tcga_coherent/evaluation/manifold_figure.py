"""Figure 1: real and generated patients in one projection."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.evaluation.fidelity import Array
from tcga_coherent.evaluation.palette import METHOD_LABELS, cancer_type_styles

LEGEND_COLUMNS = 7


def draw_manifolds(
    projections: Mapping[str, Array], cancer_types: pd.Series, numbers: pd.DataFrame
) -> Figure:
    """Draw one panel a set of patients, coloured by cancer type, with shared axes.

    Parameters
    ----------
    projections
        ``real`` and methods to patients x 2.
    cancer_types
        Cancer type of each row.
    numbers
        Result of :func:`tcga_coherent.evaluation.manifold.manifold_table`, printed below the panels.

    Returns
    -------
    Figure
        Panels side by side and a legend of the cancer types below.
    """
    styles = cancer_type_styles(cancer_types)
    n_legend_rows = -(-len(styles) // LEGEND_COLUMNS)
    figure = Figure(
        figsize=(2.4 * len(projections), 3.0 + 0.16 * n_legend_rows), layout="constrained"
    )
    panels = figure.subplots(1, len(projections), sharex=True, sharey=True, squeeze=False)[0]
    numbers = numbers.set_index("set")
    for axes, (name, points) in zip(panels, projections.items(), strict=True):
        for cancer_type, style in styles.items():
            chosen = (cancer_types == cancer_type).to_numpy()
            axes.scatter(
                *points[chosen].T, s=7, c=style.color, marker=style.marker, alpha=0.75, linewidth=0
            )
        title = "Real" if name == "real" else METHOD_LABELS[name]
        axes.set_title(title, fontsize=9, fontweight="bold")
        row = numbers.loc[name]
        note = (
            "map fitted on training patients"
            if name == "real"
            else f"energy distance to real: {row['energy_distance']:.2f}"
        )
        caption = f"same-type neighbours: {row['type_agreement']:.0%}\n{note}"
        axes.set_xlabel(caption, fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])
    handles = [
        Line2D(
            [], [], color=style.color, marker=style.marker, markersize=4, linewidth=0, label=name
        )
        for name, style in styles.items()
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=LEGEND_COLUMNS,
        fontsize=7,
        frameon=False,
        handletextpad=0.1,
    )
    return figure
