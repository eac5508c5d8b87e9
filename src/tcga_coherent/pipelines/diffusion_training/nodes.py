"""Nodes of the diffusion_training pipeline."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import pandas as pd

from tcga_coherent.cohort import having
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig, Weighting
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.sampling.consensus import (
    STANDARD_NORMAL,
    consensus_weights,
    halves_of_validation,
    measure_errors,
)
from tcga_coherent.diffusion.sampling.ensemble import make_sampler
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.family import finished_denoisers, train_denoisers
from tcga_coherent.diffusion.training.tasks import DenoiserTask
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.figures.training import draw_training_curves
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.pipelines.partitions import Partitions, fingerprint_checkpoints

logger = logging.getLogger(__name__)

# Modality to latents, the split of each patient and the targets, to what is trained.
TaskMaker = Callable[[dict[str, pd.DataFrame], pd.Series, Sequence[str]], list[DenoiserTask]]
REPORTED_WEIGHTS: tuple[Weighting, ...] = ("composed", "learned", "inverse_mse")


def train(
    make_tasks: TaskMaker,
    frames: dict[str, pd.DataFrame],
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
        make_tasks(frames, split["split"], [target]),
        {name: fingerprint_frame(frame) for name, frame in frames.items()},
        fingerprint_checkpoints(encoders),
        former,
        config,
        resolve_device(device),
    )


def select_denoisers(training: Checkpoint) -> tuple[dict[str, Checkpoint], pd.DataFrame]:
    """Return the best checkpoint of every denoiser and the history of all validations."""
    return finished_denoisers(training), pd.DataFrame(training.metadata["history"])


def learn_consensus(
    frames: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: TrainedModels,
    config: TrainingConfig,
    sampling: SamplingConfig,
    target: str,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Measure on validation how far each denoiser of a target may be trusted at each noise level.

    The levels are those that the sampler visits, and some more for samplers of other steps.

    Returns
    -------
    consensus
        Error moments of the single-condition denoisers and unconditional experts.
    weights
        Composed and learned weights of the ensemble of all sources, beside the paper's.
    """
    patients = having({target: frames[target]}, split.index[split["split"] == "val"])
    values = latent_tensors(frames, patients)
    halves = halves_of_validation(list(patients))
    sources = tuple(name for name in frames if name != target)
    members = models.members(target, "coherent", sources)
    (multi,) = models.members(target, "multi", sources)
    visited = make_sampler(members[0].process, sampling).timesteps
    errors = measure_errors(members, multi, values[target], values, halves, visited, config.seed)
    timesteps = errors.timesteps.tolist()
    weights = {
        weighting: consensus_weights(members, timesteps, weighting, errors).numpy()
        for weighting in REPORTED_WEIGHTS
    }
    rows = [
        {
            "target": target,
            "source": source,
            "timestep": timestep,
            "n_patients": int(errors.counts[i, i]) if errors.counts is not None else 0,
            **{weighting: float(w[level, i]) for weighting, w in weights.items()},
        }
        for i, source in enumerate((*sources, STANDARD_NORMAL))
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
