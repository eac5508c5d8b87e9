"""What completing a cohort added: table and figure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.modality import ModalityConfig

STATUSES = ("observed", "generated", "flagged", "impossible")


def summarise_completion(flags: pd.DataFrame) -> pd.DataFrame:
    """Count patients by modality, status and source set.

    Parameters
    ----------
    flags
        Columns ``patient_id``, ``modality``, ``status``, ``sources``, ``coherence``, ``n_redrawn``
        and ``accepted``. A generated modality that is not accepted counts as flagged.

    Returns
    -------
    pandas.DataFrame
        ``modality``, ``status``, ``sources``, ``n_patients``, ``cosine_distance_mean`` and
        ``n_redrawn``, one row a combination that occurs.
    """
    incoherent = (flags["status"] == "generated") & ~flags["accepted"].astype(bool)
    counted = flags.assign(
        status=flags["status"].mask(incoherent, "flagged"), sources=flags["sources"].fillna("")
    )
    return (
        counted.groupby(["modality", "status", "sources"], sort=False)
        .agg(
            n_patients=("patient_id", "size"),
            cosine_distance_mean=("coherence", "mean"),
            n_redrawn=("n_redrawn", "sum"),
        )
        .reset_index()
    )


def draw_completion(summary: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw how many patients each modality was observed or generated in, and from what.

    Parameters
    ----------
    summary
        Result of :func:`summarise_completion`.
    modalities
        Labels and colours.
    """
    figure = Figure(figsize=(9.0, 1.6 + 0.6 * len(modalities)), layout="constrained")
    axis = figure.subplots()
    counts = summary.pivot_table(
        index="modality", columns="status", values="n_patients", aggfunc="sum", fill_value=0
    ).reindex(index=list(modalities), columns=list(STATUSES), fill_value=0)
    positions = range(len(modalities))
    colors = [config.color for config in modalities.values()]
    styles: dict[str, dict[str, Any]] = {
        "observed": {"color": colors},
        "generated": {"color": colors, "alpha": 0.4},
        "flagged": {"color": "white", "edgecolor": "black", "hatch": "////"},
        "impossible": {"color": "black"},
    }
    left = np.zeros(len(modalities))
    for status in STATUSES:
        widths = counts[status].to_numpy(dtype=float)
        axis.barh(positions, widths, left=left, **styles[status])
        for position, start, width in zip(positions, left, widths, strict=True):
            if width > 0.06 * counts.to_numpy().sum(axis=1).max():
                axis.text(
                    start + width / 2,
                    position,
                    f"{status}\n{width:,.0f}",
                    ha="center",
                    va="center",
                    bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1},
                    fontsize=8,
                )
        left += widths
    axis.set_yticks(positions, [config.label for config in modalities.values()])
    axis.invert_yaxis()
    axis.set_xlabel(
        "patients (full colour observed, pale generated, hatched generated but flagged)"
    )
    axis.spines[["top", "right"]].set_visible(False)
    return figure
