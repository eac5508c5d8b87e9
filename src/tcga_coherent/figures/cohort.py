"""Figure of what a cohort consists of: the paper's Table 4, drawn."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tcga_coherent.omics.patients.tables import TOTAL

COMPLETE_COLOR = "#4D4D4D"
INCOMPLETE_COLOR = "#BFBFBF"
ALL_COLOR = "#E6E6E6"


def draw_cohort(
    table: pd.DataFrame, labels: Mapping[str, str], colors: Mapping[str, str]
) -> Figure:
    """Draw patients by cancer type: complete and incomplete ones, and those of each modality.

    Parameters
    ----------
    table
        As :func:`tcga_coherent.omics.patients.tables.count_patients` returns it; the row TOTAL goes into the
        titles.
    labels, colors
        Modality to its name and colour in figures, in the order of the panels.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for completeness and one a modality, all on the scale of patients.
    """
    types = table[table["cancer_type"] != TOTAL]
    total = table[table["cancer_type"] == TOTAL].iloc[0]
    positions = np.arange(len(types))
    figure = Figure(
        figsize=(3.2 + 2.1 * (len(labels) + 1), 1.6 + 0.27 * len(types)), layout="constrained"
    )
    axes = figure.subplots(
        1, len(labels) + 1, sharey=True, width_ratios=[1.6, *np.ones(len(labels))]
    )

    panel = axes[0]
    panel.barh(positions, types["complete"], color=COMPLETE_COLOR, label="all modalities")
    panel.barh(
        positions,
        types["incomplete"],
        left=types["complete"],
        color=INCOMPLETE_COLOR,
        label="some missing",
    )
    _write_counts(panel, positions, types["total"], types["total"])
    panel.set_title(
        f"All patients\n{total['complete']:,} of {total['total']:,} complete", fontsize=10
    )
    panel.legend(loc="lower right", fontsize=8, frameon=False)
    panel.set_yticks(positions, types["cancer_type"])
    panel.set_ylabel("cancer type")
    panel.invert_yaxis()

    for panel, (name, label) in zip(axes[1:], labels.items(), strict=True):
        panel.barh(positions, types["total"], color=ALL_COLOR)
        panel.barh(positions, types[name], color=colors[name])
        _write_counts(panel, positions, types["total"], types[name])
        share = total[name] / total["total"]
        panel.set_title(f"{label}\n{total[name]:,} ({share:.0%})", fontsize=10)

    for panel in axes:
        panel.margins(y=0.01)
        # Room for the numbers beside the longest bar.
        panel.set_xlim(0, types["total"].max() * 1.25)
        panel.set_xlabel("patients")
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
    return figure


def _write_counts(panel: Axes, positions: np.ndarray, ends: pd.Series, counts: pd.Series) -> None:
    for position, end, count in zip(positions, ends, counts, strict=True):
        panel.annotate(
            f"{count:,}",
            (end, position),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
