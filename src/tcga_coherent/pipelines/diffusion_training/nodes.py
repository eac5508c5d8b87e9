"""Nodes of the diffusion_training pipeline."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.checkpoints import describe_denoiser
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig, Weighting
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays, fingerprint_frame
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.sampling.consensus import (
    STANDARD_NORMAL,
    consensus_weights,
    halves_of_validation,
    measure_errors,
)
from tcga_coherent.diffusion.sampling.ensemble import make_sampler
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.tasks import DenoiserTask, multi_tasks, single_tasks
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape
from tcga_coherent.figures.consensus import draw_consensus_weights
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.figures.training import draw_training_curves
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.partitions import (
    Partitions,
    load_denoisers,
    load_latents,
)

logger = logging.getLogger(__name__)

REPORTED_WEIGHTS: tuple[Weighting, ...] = ("composed", "learned", "inverse_mse")


def train_single_denoisers(
    latents: Partitions,
    encoders: Partitions,
    split: pd.DataFrame,
    interrupted: Checkpoint,
    modalities: dict[str, Any],
    config: TrainingConfig,
    device: str,
) -> Iterator[Checkpoint]:
    """Train a denoiser of every ordered pair of modalities; see :func:`_train`."""
    frames = load_latents(latents, parse_modalities(modalities))
    tasks = single_tasks(frames, split["split"])
    yield from _train(tasks, frames, encoders, interrupted, config, device)


def train_multi_denoisers(
    latents: Partitions,
    encoders: Partitions,
    split: pd.DataFrame,
    interrupted: Checkpoint,
    modalities: dict[str, Any],
    config: TrainingConfig,
    device: str,
) -> Iterator[Checkpoint]:
    """Train a masked multi-condition denoiser of every modality; see :func:`_train`."""
    frames = load_latents(latents, parse_modalities(modalities))
    tasks = multi_tasks(frames, split["split"])
    yield from _train(tasks, frames, encoders, interrupted, config, device)


def _train(
    tasks: Sequence[DenoiserTask],
    latents: Mapping[str, pd.DataFrame],
    encoders: Partitions,
    interrupted: Checkpoint,
    config: TrainingConfig,
    device: str,
) -> Iterator[Checkpoint]:
    """Yield the training state at every validation, the finished models last.

    Kedro saves what a generator yields at once, so a run that is killed goes on from the last
    validation. A state of other latents or parameters is discarded.
    """
    latent_prints = {name: fingerprint_frame(frame) for name, frame in latents.items()}
    encoder_prints = {name: fingerprint_arrays(encoders[name]().arrays) for name in latents}
    identity = {
        "config": asdict(config),
        "latents": latent_prints,
        "tasks": {
            task.name: fingerprint_arrays(
                {"train": task.train.target, "val": task.validation.target}
            )
            for task in tasks
        },
    }
    resume = _is_resumable(interrupted, identity)
    models: dict[str, Checkpoint] = {}
    history: list[dict[str, Any]] = []
    for number, (shape, group) in enumerate(group_by_shape(tasks, config).items()):
        names = [task.name for task in group]
        trainer = StackTrainer(group, shape, config, resolve_device(device))
        logger.info("Training %d denoisers together: %s", len(names), ", ".join(names))
        if resume and number < interrupted.metadata["group"]:
            models |= _stored_models(interrupted, names)
            history += [r for r in interrupted.metadata["history"] if r["model"] in names]
            continue
        if resume and number == interrupted.metadata["group"]:
            trainer.load_state(
                _with_prefix(interrupted.arrays, "trainer"), interrupted.metadata["trainer"]
            )
            logger.info("Going on from step %d of an interrupted training", trainer.step)
        for _ in trainer.train():
            trainer.check_finite()
            arrays, metadata = trainer.state()
            yield Checkpoint(
                {
                    **{f"trainer/{name}": array for name, array in arrays.items()},
                    **_model_arrays(models),
                },
                {
                    "finished": False,
                    "identity": identity,
                    "group": number,
                    "trainer": metadata,
                    "models": {name: model.metadata for name, model in models.items()},
                    "history": history,
                },
            )
        for trained in trainer.results():
            description = describe_denoiser(trained, config, latent_prints, encoder_prints)
            models[trained.task.name] = Checkpoint(trained.weights, description)
        history += [asdict(record) for record in trainer.history]
    yield Checkpoint(
        _model_arrays(models),
        {
            "finished": True,
            "models": {name: model.metadata for name, model in models.items()},
            "history": history,
        },
    )


def select_denoisers(training_state: Checkpoint) -> tuple[dict[str, Checkpoint], pd.DataFrame]:
    """Return the best checkpoint of every model and the history of all validations.

    Raises
    ------
    ValueError
        When the training is not finished.
    """
    if not training_state.metadata.get("finished"):
        raise ValueError(
            "The training state is not finished. Run the diffusion_training pipeline again: it goes "
            "on from the last validation."
        )
    models = _stored_models(training_state, list(training_state.metadata["models"]))
    return models, pd.DataFrame(training_state.metadata["history"])


def learn_consensus(
    latents: Partitions,
    split: pd.DataFrame,
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    modalities: dict[str, Any],
    config: TrainingConfig,
    sampling: SamplingConfig,
    device: str,
) -> tuple[dict[str, Checkpoint], pd.DataFrame]:
    """Measure on validation how far each denoiser may be trusted at each noise level.

    The levels are those that the sampler visits, and some more for samplers of other steps.

    Returns
    -------
    consensus
        Target to the error moments of its single-condition denoisers and unconditional experts.
    weights
        Composed and learned weights of each target's ensemble of all sources, beside the paper's.
    """
    frames = load_latents(latents, parse_modalities(modalities))
    prints = {name: fingerprint_frame(frame) for name, frame in frames.items()}
    models = TrainedModels(
        single=load_denoisers(single_denoisers, "latents", prints, device),
        multi=load_denoisers(multi_denoisers, "latents", prints, device),
        errors={},
    )
    patients = split.index[split["split"] == "val"]
    values = latent_tensors(frames, patients)
    halves = halves_of_validation(list(patients))
    consensus, rows = {}, []
    for target in frames:
        sources = tuple(name for name in frames if name != target)
        members = models.members(target, "coherent", sources)
        (multi,) = models.members(target, "multi", sources)
        visited = make_sampler(members[0].schedule, sampling).timesteps
        errors = measure_errors(
            members, multi, values[target], values, halves, visited, config.seed
        )
        consensus[target] = Checkpoint(errors.arrays, {"denoisers": list(errors.names)})
        timesteps = errors.timesteps.tolist()
        weights = {
            weighting: consensus_weights(members, timesteps, weighting, errors).numpy()
            for weighting in REPORTED_WEIGHTS
        }
        rows += [
            {
                "target": target,
                "source": source,
                "timestep": timestep,
                **{weighting: float(w[level, i]) for weighting, w in weights.items()},
            }
            for i, source in enumerate((*sources, STANDARD_NORMAL))
            for level, timestep in enumerate(timesteps)
        ]
    return consensus, pd.DataFrame(rows)


def draw_weights_of_consensus(weights: pd.DataFrame, modalities: dict[str, Any]) -> Drawing:
    """Draw the consensus weights over the noise levels."""
    return partial(draw_consensus_weights, weights, parse_modalities(modalities))


def draw_training_curves_of_families(
    single_history: pd.DataFrame, multi_history: pd.DataFrame, modalities: dict[str, Any]
) -> Drawing:
    """Draw noise error and validation score of every denoiser."""
    return partial(
        draw_training_curves,
        {"single": single_history, "multi": multi_history},
        parse_modalities(modalities),
    )


def _is_resumable(interrupted: Checkpoint, identity: dict[str, Any]) -> bool:
    if not interrupted.arrays or interrupted.metadata["finished"]:
        return False
    if interrupted.metadata["identity"] != identity:
        logger.warning(
            "An interrupted training is discarded: it has other latents or parameters than this one"
        )
        return False
    return True


def _model_arrays(models: Mapping[str, Checkpoint]) -> dict[str, np.ndarray]:
    return {
        f"model/{name}/{weight}": array
        for name, model in models.items()
        for weight, array in model.arrays.items()
    }


def _stored_models(state: Checkpoint, names: Sequence[str]) -> dict[str, Checkpoint]:
    return {
        name: Checkpoint(
            _with_prefix(state.arrays, f"model/{name}"), state.metadata["models"][name]
        )
        for name in names
    }


def _with_prefix(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(f"{prefix}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}/")
    }
