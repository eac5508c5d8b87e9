"""Figure 1 and those of S1 Appendix: real and generated patients in one projection."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.figures.palette import METHOD_LABELS, Style, cancer_type_styles
from tcga_coherent.figures.panels import SMALL
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.studies.fidelity.patient_sets import REAL

LEGEND_COLUMNS = 7


def draw_manifolds(
    projections: Mapping[str, Mapping[str, Array]],
    cancer_types: pd.Series,
    numbers: pd.DataFrame,
    labels: Mapping[str, str],
) -> Figure:
    """Draw a row of panels a space and a column a set of patients, coloured by cancer type.

    Parameters
    ----------
    projections
        Space to ``real`` and methods to patients x 2.
    cancer_types
        Cancer type of each row.
    numbers
        Result of :func:`tcga_coherent.studies.fidelity.table.manifold_table`, printed below the panels.
    labels
        Space to what is written beside its row; empty for nothing.

    Returns
    -------
    Figure
        Panels with a map of its own in each row, and a legend of the cancer types below.
    """
    styles = cancer_type_styles(cancer_types)
    sets = list(next(iter(projections.values())))
    n_legend_rows = -(-len(styles) // LEGEND_COLUMNS)
    figure = Figure(
        figsize=(2.4 * len(sets), 2.75 * len(projections) + 0.3 + 0.16 * n_legend_rows),
        layout="constrained",
    )
    grid = figure.subplots(len(projections), len(sets), sharex="row", sharey="row", squeeze=False)
    drawn = {
        (row["space"], row["set"]): row
        for _, row in numbers[numbers["reading"] != "mean"].iterrows()
    }
    for row, (space, own) in zip(grid, projections.items(), strict=True):
        for axes, (name, points) in zip(row, own.items(), strict=True):
            _draw_points(axes, points, cancer_types, styles)
            axes.set_xlabel(_caption(name, drawn[space, name]), fontsize=SMALL)
        row[0].set_ylabel(labels[space], fontsize=9, fontweight="bold")
    for axes, name in zip(grid[0], sets, strict=True):
        axes.set_title(METHOD_LABELS[name], fontsize=9, fontweight="bold")
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
        fontsize=SMALL,
        frameon=False,
        handletextpad=0.1,
    )
    return figure


def _draw_points(
    axes: Axes, points: Array, cancer_types: pd.Series, styles: Mapping[str, Style]
) -> None:
    for cancer_type, style in styles.items():
        chosen = (cancer_types == cancer_type).to_numpy()
        x, y = points[chosen].T
        axes.scatter(x, y, s=7, c=style.color, marker=style.marker, alpha=0.75, linewidth=0)
    axes.set_xticks([])
    axes.set_yticks([])


def _caption(name: str, row: pd.Series) -> str:
    lines = [f"same-type neighbours: {row['type_agreement']:.0%}"]
    if name == REAL:
        lines.append("map fitted on training patients")
        lines.append(f"trustworthiness: {row['trustworthiness']:.2f}")
    else:
        lines.append(f"precision {row['precision']:.2f}, recall {row['recall']:.2f}")
        lines.append(f"energy distance to real: {row['energy_distance']:.2f}")
    return "\n".join(lines)
