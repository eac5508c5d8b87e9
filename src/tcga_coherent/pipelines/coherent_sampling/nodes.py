"""Nodes of the coherent_sampling pipeline."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.cohort import having
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion.agreement import fit_agreement
from tcga_coherent.diffusion.completion.generation import draws_frame
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.consensus import halves_of_validation
from tcga_coherent.diffusion.sampling.ensemble import Draws
from tcga_coherent.diffusion.sampling.recalibration import (
    Recalibration,
    fit_spread,
    fitted_settings,
)
from tcga_coherent.diffusion.stored_models import store_agreement, store_recalibration
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.figures.coherence import draw_coherence
from tcga_coherent.figures.completion import draw_completion, summarise_completion
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.measures.calibration import (
    coverage_over_sets,
    crps,
    independent_sets,
    mean_over_sets,
)
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.source_sets import (
    SourceSets,
    generative_methods,
    join_sources,
    partition_name,
)

logger = logging.getLogger(__name__)

# Validation patients of each half that a spread is fitted on at least.
FEWEST_OF_HALF = 2
# Draws that the spread is fitted on at least: their mean is then nearly exact.
FITTING_DRAWS = 20
RECALIBRATION_COLUMNS = ["target", "method", "source", "n_patients", "spread"] + [
    f"{measure}_{when}"
    for when in ("before", "after")
    for measure in ("crps", "coverage_50", "coverage_90")
]


def learn_agreement(frames: dict[str, pd.DataFrame], split: pd.DataFrame) -> Checkpoint:
    """Fit how well the modalities of a patient usually fit each other."""
    return store_agreement(fit_agreement(frames, split["split"]))


def recalibrate_spread(
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: TrainedModels,
    sets: SourceSets,
    config: SamplingConfig,
    target: str,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Fit on validation how wide the draws of a target must be, by method and source set.

    Each half of the validation patients is drawn with the consensus weights that the other half
    gave: weights see new patients wider of the mark than those they were learned from, and so must
    the factor.

    Returns
    -------
    recalibration
        Factor of the spread of each; none where ``coherent_sampling.recalibrate`` is false.
    table
        The factors, with CRPS and coverage of the validation patients before and after.
    """
    # Around the mean of few independent draws, their own error would widen the fitted spread.
    raw = replace(
        config,
        antithetic=True,
        n_draws=max(FITTING_DRAWS, 2 * (config.n_draws // 2)),
        recalibrate=False,
        temperature=1.0,
    )
    everybody = having({target: frames[target]}, split.index[split["split"] == "val"])
    half_of = pd.Series(halves_of_validation(list(everybody)), index=everybody)
    spreads: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    few: list[str] = []
    runs = _runs(sets[target]) if config.recalibrate else []
    for method, sources in _with_progress(target, runs):
        patients = having({source: frames[source] for source in sources}, everybody)
        row = {"target": target, "method": method, "source": join_sources(sources)}
        halves = half_of[patients].to_numpy()
        if min((halves == 0).sum(), (halves == 1).sum()) < FEWEST_OF_HALF:
            spreads[partition_name(target, method, sources)] = 1.0
            few.append(f"{method} from {join_sources(sources)}")
            rows.append({**row, "n_patients": len(patients), "spread": 1.0})
            continue
        given = latent_tensors(conditions, patients)
        keys = named_keys(config.seed, f"recalibration of {target}", list(patients))
        drawn = models.draw_validation(target, method, sources, raw, given, halves, keys)
        truth = frames[target].loc[patients].to_numpy(np.float32)
        draws = drawn.transpose(0, 1).numpy()
        spread = fit_spread(truth, draws)
        spreads[partition_name(target, method, sources)] = spread
        mean = draws.mean(axis=0)
        rows.append(
            {
                **row,
                "n_patients": len(patients),
                "spread": spread,
                **_calibration(truth, draws, "before"),
                **_calibration(truth, mean + spread * (draws - mean), "after"),
            }
        )
    if few:
        logger.warning(
            "%s: the spread of %d of %d ways to generate it stays as it is, such as %s: fewer than %d patients of a "
            "half of validation have all that it takes, see n_patients in recalibration.csv",
            target, len(few), len(runs), few[0], FEWEST_OF_HALF,
        )  # fmt: skip
    fitted = Recalibration(spreads, fitted_settings(config), models.validation_mse)
    return store_recalibration(fitted), pd.DataFrame(rows, columns=RECALIBRATION_COLUMNS)


def draw_test_split(
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: TrainedModels,
    sets: SourceSets,
    config: SamplingConfig,
    target: str,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Generate a modality of the test patients who have it from every set of the others, where they have that.

    Returns
    -------
    draws
        ``<method>/<source+source>`` to frame, index (``patient_id``, ``draw``), columns
        latent dimensions. Methods are single (one source), multi and coherent.
    coherence
        One row a method and source set: how coherent the trajectories were and how many
        draws were made again or stayed rejected.
    """
    models.check(config)
    everybody = having({target: frames[target]}, split.index[split["split"] == "test"])
    draws, rows = {}, []
    for method, sources in _with_progress(target, _runs(sets[target])):
        patients = having({source: frames[source] for source in sources}, everybody)
        name = f"{method}/{join_sources(sources)}"
        row = {"target": target, "method": method, "source": join_sources(sources)}
        if patients.empty:
            nothing = np.empty((0, config.n_draws, frames[target].shape[1]), np.float32)
            draws[name] = draws_frame(patients, nothing, frames[target].columns)
            rows.append({**row, "n_patients": 0, "n_draws": config.n_draws})
            continue
        given = latent_tensors(conditions, patients)
        drawn = models.ensemble(target, method, sources, config).draw(
            {source: given[source] for source in sources},
            named_keys(config.seed, target, list(patients)),
        )
        draws[name] = draws_frame(patients, drawn.latents.numpy(), frames[target].columns)
        rows.append({**row, **_summary(drawn)})
    return draws, pd.DataFrame(rows)


def draw_coherence_figure(
    coherence: pd.DataFrame, modalities: Mapping[str, ModalityConfig], config: SamplingConfig
) -> Drawing:
    """Draw coherence and rejection of every ensemble."""
    return partial(draw_coherence, coherence, modalities, config.coherence.threshold)


def describe_completion(
    flags: pd.DataFrame, modalities: Mapping[str, ModalityConfig]
) -> tuple[pd.DataFrame, Drawing]:
    """Count and draw which modalities of the cohort were observed and which generated."""
    summary = summarise_completion(flags)
    return summary, partial(draw_completion, summary, modalities)


def _runs(sets: Sequence[tuple[str, ...]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return method and sources of every way to generate a modality."""
    return [(method, sources) for sources in sets for method in generative_methods(sources)]


def _with_progress(
    target: str, runs: list[tuple[str, tuple[str, ...]]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the runs and log each that is done, with the time that is left."""
    started = time.monotonic()
    for number, (method, sources) in enumerate(runs, start=1):
        yield method, sources
        left = (time.monotonic() - started) / number * (len(runs) - number)
        logger.info(
            "%s %s from %s: run %d of %d, %.1f min left",
            target, method, join_sources(sources), number, len(runs), left / 60,
        )  # fmt: skip


def _calibration(truth: np.ndarray, draws: np.ndarray, when: str) -> dict[str, float]:
    sets = independent_sets(draws, antithetic=True)
    return {
        f"crps_{when}": mean_over_sets(crps, truth, sets),
        f"coverage_50_{when}": coverage_over_sets(truth, sets, 0.5).observed,
        f"coverage_90_{when}": coverage_over_sets(truth, sets, 0.9).observed,
    }


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
