"""Nodes of the diffusion_training pipeline."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from tcga_coherent.cohort import having
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig, Weighting
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.latents import code_frames, latent_tensors
from tcga_coherent.diffusion.linear_gaussian import FEWEST_PATIENTS, fit_every_expert
from tcga_coherent.diffusion.sampling.consensus import (
    STANDARD_NORMAL,
    Member,
    consensus_weights,
    halves_of_validation,
    masked,
    measure_errors,
)
from tcga_coherent.diffusion.sampling.ensemble import make_sampler
from tcga_coherent.diffusion.stored_models import fingerprint_checkpoints, store_linear_experts
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.family import finished_denoisers, train_denoisers
from tcga_coherent.diffusion.training.tasks import DenoiserTask, Frames, told_beside_latents
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.figures.training import draw_training_curves
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.pipelines.partitions import Partitions
from tcga_coherent.source_sets import SourceSets, join_sources

logger = logging.getLogger(__name__)

TaskMaker = Callable[
    [Frames, pd.Series, Sequence[str] | None, Frames | None],
    list[DenoiserTask],
]
LEARNED_WEIGHTS: tuple[Weighting, ...] = ("composed", "learned")


def train(
    make_tasks: TaskMaker,
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    encoders: Partitions,
    split: pd.DataFrame,
    former: Checkpoint,
    config: TrainingConfig,
    device: str,
    target: str,
) -> Iterator[Checkpoint]:
    """Train the denoisers of a target and family; see :func:`train_denoisers`.

    Kedro saves what a generator yields at once, so that a run that is killed goes on from the last
    validation.
    """
    yield from train_denoisers(
        make_tasks(frames, split["split"], [target], told_beside_latents(config, conditions)),
        {name: fingerprint_frame(frame) for name, frame in conditions.items()},
        fingerprint_checkpoints(encoders),
        former,
        config,
        resolve_device(device),
    )


def select_denoisers(training: Checkpoint) -> tuple[dict[str, Checkpoint], pd.DataFrame]:
    """Return the best checkpoint of every denoiser and the history of all validations."""
    return finished_denoisers(training), pd.DataFrame(training.metadata["history"])


def fit_linear_experts(
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    encoders: Partitions,
    split: pd.DataFrame,
    sets: SourceSets,
    target: str,
) -> Checkpoint:
    """Fit the linear-Gaussian expert of each set of sources of a target."""
    train = split.index[split["split"] == "train"]
    codes = code_frames(frames, conditions)
    experts = fit_every_expert(target, frames[target], codes, train, sets[target])
    few = [
        join_sources(sources)
        for sources in sets[target]
        if sources not in [expert.sources for expert in experts]
    ]
    if few:
        logger.warning(
            "%s: no linear expert in %s: fewer than %d training patients have what it takes",
            target, ", ".join(few), FEWEST_PATIENTS,
        )  # fmt: skip
    prints = {name: fingerprint_frame(frame) for name, frame in conditions.items()}
    return store_linear_experts(experts, prints, fingerprint_checkpoints(encoders))


def learn_consensus(
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: TrainedModels,
    sets: SourceSets,
    config: TrainingConfig,
    sampling: SamplingConfig,
    target: str,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Measure on validation how far each expert of a target may be trusted at each noise level.

    The levels are those that the sampler visits, and some more for samplers of other steps.

    Returns
    -------
    consensus
        Error moments of the single-condition denoisers, linear-Gaussian and unconditional experts; and of the
        multi-condition one given each set of sources, where ``coherent_sampling.multi_expert`` wants it.
    weights
        Composed and learned weights of the ensemble of all sources, beside the paper's: a row an ``expert``
        (denoiser, multi, linear, standard_normal), ``source`` (joined by +) and timestep.
    """
    patients = having({target: frames[target]}, split.index[split["split"] == "val"])
    truth = latent_tensors(frames, patients)[target]
    given = latent_tensors(conditions, patients)
    halves = halves_of_validation(list(patients))
    sources = tuple(name for name in frames if name != target)
    members = models.members(target, "coherent", sources)
    (multi,) = models.members(target, "multi", sources)
    visited = make_sampler(members[0].process, sampling).timesteps
    fitted = [expert for expert in models.linear.values() if expert.target == target]
    linear = [
        expert
        for expert in fitted
        if len(having({source: conditions[source] for source in expert.sources}, patients))
    ]
    if len(linear) < len(fitted):
        logger.warning(
            "%s: %d linear experts take no part: no validation patient has what they take",
            target, len(fitted) - len(linear),
        )  # fmt: skip
    given_sets = [masked(multi, own) for own in sets[target]] if sampling.multi_expert else []
    errors = measure_errors(
        [*members, *given_sets], linear, multi, truth, given, halves, visited, config.seed
    )
    timesteps = errors.timesteps.tolist()
    experts: list[tuple[tuple[str, str], Member]] = [
        (("denoiser", d.sources[0]), d) for d in members
    ]
    if sampling.multi_expert:
        experts.append((("multi", join_sources(sources)), masked(multi, sources)))
    if sampling.linear_experts:
        experts += [(("linear", join_sources(expert.sources)), expert) for expert in linear]
    weights = {
        weighting: consensus_weights([m for _, m in experts], timesteps, weighting, errors).numpy()
        for weighting in LEARNED_WEIGHTS
    }
    papers = consensus_weights(members, timesteps, "inverse_mse").numpy()
    others = [len(members)] * (len(experts) - len(members))
    weights["inverse_mse"] = np.insert(papers, others, 0.0, axis=1)
    assert errors.counts is not None
    counts = dict(zip(errors.names, np.diag(errors.counts), strict=True))
    shown = [(*key, int(counts[member.name])) for key, member in experts]
    shown.append((STANDARD_NORMAL, STANDARD_NORMAL, int(counts[STANDARD_NORMAL])))
    rows = [
        {
            "target": target,
            "expert": kind,
            "source": source,
            "timestep": timestep,
            "n_patients": n_patients,
            **{weighting: float(w[level, i]) for weighting, w in weights.items()},
        }
        for i, (kind, source, n_patients) in enumerate(shown)
        for level, timestep in enumerate(timesteps)
    ]
    return Checkpoint(errors.arrays, {"denoisers": list(errors.names)}), pd.DataFrame(rows)


def draw_training_curves_of_families(
    single_history: pd.DataFrame,
    multi_history: pd.DataFrame,
    modalities: Mapping[str, ModalityConfig],
) -> Drawing:
    """Draw noise error and validation score of every denoiser."""
    return partial(
        draw_training_curves,
        {"single": single_history, "multi": multi_history},
        modalities,
    )
