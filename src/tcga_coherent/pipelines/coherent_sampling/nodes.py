"""Nodes of the coherent_sampling pipeline."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.completion import denoisers_for, draws_frame
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.ensemble import Draws, Ensemble
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.evaluation.coherence_figure import draw_coherence
from tcga_coherent.evaluation.completion_figure import draw_completion, summarise_completion
from tcga_coherent.evaluation.source_sets import join_sources, partition_name, source_sets
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.partitions import (
    Partitions,
    load_consensus,
    load_denoisers,
    load_latents,
)

logger = logging.getLogger(__name__)


def draw_test_split(
    latents: Partitions,
    split: pd.DataFrame,
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    modalities: dict[str, Any],
    config: SamplingConfig,
    device: str,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Generate every modality of the test patients from every set of the other modalities.

    Returns
    -------
    draws
        ``<target>/<method>/<source+source>`` to frame, index (``patient_id``, ``draw``), columns
        latent dimensions. Methods are single (one source), coherent (two or more) and multi (any).
    coherence
        One row a target, method and source set: how coherent the trajectories were and how many
        draws were made again or stayed rejected.
    """
    frames = load_latents(latents, parse_modalities(modalities))
    prints = {name: fingerprint_frame(frame) for name, frame in frames.items()}
    denoisers = {
        "single": load_denoisers(single_denoisers, "latents", prints, device),
        "multi": load_denoisers(multi_denoisers, "latents", prints, device),
    }
    errors = load_consensus(consensus)
    patients = split.index[split["split"] == "test"]
    conditions = {
        name: torch.from_numpy(frame.loc[patients].to_numpy(np.float32))
        for name, frame in frames.items()
    }
    runs = _runs(list(frames))
    draws, rows = {}, []
    started = time.monotonic()
    for number, (target, method, sources) in enumerate(runs, start=1):
        members = _members(target, method, sources, denoisers)
        drawn = Ensemble(members, config, errors.get(target)).draw(
            {source: conditions[source] for source in sources},
            named_keys(config.seed, target, list(patients)),
        )
        source_set = join_sources(sources)
        draws[partition_name(target, method, sources)] = draws_frame(
            patients, drawn.latents.numpy(), frames[target].columns
        )
        rows.append({"target": target, "method": method, "source": source_set, **_summary(drawn)})
        left = (time.monotonic() - started) / number * (len(runs) - number)
        logger.info(
            "%s %s from %s: run %d of %d, %.1f min left",
            target, method, source_set, number, len(runs), left / 60,
        )  # fmt: skip
    return draws, pd.DataFrame(rows)


def draw_coherence_figure(
    coherence: pd.DataFrame, modalities: dict[str, Any], config: SamplingConfig
) -> Figure:
    """Draw coherence and rejection of every ensemble."""
    return draw_coherence(coherence, parse_modalities(modalities), config.coherence.threshold)


def describe_completion(
    flags: pd.DataFrame, modalities: dict[str, Any]
) -> tuple[pd.DataFrame, Figure]:
    """Count and draw which modalities of the cohort were observed and which generated."""
    summary = summarise_completion(flags)
    return summary, draw_completion(summary, parse_modalities(modalities))


def _runs(modalities: list[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return target, method and sources of every generation of the test split."""
    return [
        (target, method, sources)
        for target in modalities
        for sources in source_sets(target, modalities)
        for method in ("single" if len(sources) == 1 else "coherent", "multi")
    ]


def _members(
    target: str,
    method: str,
    sources: tuple[str, ...],
    denoisers: Mapping[str, Mapping[str, LoadedDenoiser]],
) -> list[LoadedDenoiser]:
    family = "multi" if method == "multi" else "single"
    return denoisers_for(target, sources, method, denoisers[family])


def _summary(drawn: Draws) -> dict[str, float]:
    return {
        "n_patients": drawn.latents.shape[0],
        "n_draws": drawn.latents.shape[1],
        "cosine_distance_mean": float(drawn.coherence.mean()),
        "cosine_distance_p95": float(drawn.coherence.quantile(0.95)),
        "incoherent_step_share": float(drawn.incoherent_share.mean()),
        "redrawn_share": float((drawn.attempts > 1).float().mean()),
        "rejected_share": float((~drawn.accepted).float().mean()),
    }
