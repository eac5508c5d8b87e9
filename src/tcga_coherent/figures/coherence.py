"""Figure of how coherent the ensembles' trajectories were."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.modality import ModalityConfig


def draw_coherence(
    coherence: pd.DataFrame, modalities: Mapping[str, ModalityConfig], threshold: float
) -> Figure:
    """Draw the cosine distance between noise estimates and the draws that were rejected.

    Parameters
    ----------
    coherence
        Columns ``target``, ``method``, ``source``, ``cosine_distance_mean``,
        ``cosine_distance_p95``, ``redrawn_share`` and ``rejected_share``; only ensembles are drawn.
    modalities
        Labels and colours of targets and sources.
    threshold
        Cosine distance above which a step is incoherent.
    """
    several = coherence["source"].str.contains("+", regex=False)
    ensembles = coherence[(coherence["method"] == "coherent") & several].reset_index(drop=True)
    labels = [
        f"{modalities[target].label} from "
        + " + ".join(modalities[name].label for name in source.split("+"))
        for target, source in zip(ensembles["target"], ensembles["source"], strict=True)
    ]
    colors = [modalities[target].color for target in ensembles["target"]]
    positions = np.arange(len(ensembles))
    figure = Figure(figsize=(10.0, 1.5 + 0.32 * len(ensembles)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(positions, ensembles["cosine_distance_mean"], color=colors)
    left.plot(ensembles["cosine_distance_p95"], positions, "k|", markersize=9)
    left.axvline(threshold, color="black", linestyle=":", label="threshold of a step")
    left.plot([], [], "k|", label="95th percentile of draws")
    left.set_xlabel("cosine distance between noise estimates\n(mean over steps)")
    left.set_yticks(positions, labels)
    left.invert_yaxis()
    left.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    right.barh(positions - 0.2, 100 * ensembles["redrawn_share"], 0.4, color=colors, alpha=0.45)
    right.barh(positions + 0.2, 100 * ensembles["rejected_share"], 0.4, color=colors)
    right.set_xlabel("draws made again (pale) and\nrejected to the end (full), %")
    right.set_xlim(0, max(1.0, 105 * ensembles["redrawn_share"].max()))
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
    return figure
