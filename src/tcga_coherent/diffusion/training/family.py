"""Train the denoisers of a target, keeping those that were trained before on the same data with the same parameters."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.checkpoints import describe_denoiser
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays
from tcga_coherent.diffusion.training.tasks import DenoiserTask
from tcga_coherent.diffusion.training.trainer import (
    StackTrainer,
    group_by_shape,
    with_whole_conditions,
)

logger = logging.getLogger(__name__)

Identity = dict[str, Any]


def train_denoisers(
    tasks: Sequence[DenoiserTask],
    latents: Mapping[str, str],
    encoders: Mapping[str, str],
    former: Checkpoint,
    config: TrainingConfig,
    device: torch.device,
) -> Iterator[Checkpoint]:
    """Yield the training state at every validation, the finished models last.

    A denoiser depends on the latents of its modalities, its patients and the parameters, and is trained
    only where the former state has none of that identity. An interrupted training goes on from its last
    validation.

    Parameters
    ----------
    tasks
        What to train.
    latents, encoders
        Fingerprints of every modality's latents and encoder.
    former
        State that an earlier training left, finished or not; empty where there was none.
    config
        Training parameters.
    device
        Where to train.

    Yields
    ------
    Checkpoint
        State; ``finished`` in its metadata says whether :func:`finished_denoisers` can read it.
    """
    identities = {task.name: _identity(task, latents, config) for task in tasks}
    models = {
        name: model
        for name, model in _stored_models(former).items()
        if former.metadata["identities"].get(name) == identities.get(name)
    }
    history = [record for record in former.metadata.get("history", []) if record["model"] in models]
    if models:
        logger.info("Already trained: %s", ", ".join(models))
    open_tasks = [task for task in tasks if task.name not in models]
    for shape, group in group_by_shape(open_tasks, config).items():
        names = [task.name for task in group]
        trainer = StackTrainer(group, shape, config, device)
        logger.info("Training %d denoisers together: %s", len(names), ", ".join(names))
        if _was_interrupted(former, {name: identities[name] for name in names}):
            trainer.load_state(_with_prefix(former.arrays, "trainer"), former.metadata["trainer"])
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
                    **_describe(models, identities, history),
                    "finished": False,
                    "trainer": metadata,
                    "in_training": {name: identities[name] for name in names},
                },
            )
        for trained in trainer.results():
            whole = with_whole_conditions(trained)
            description = describe_denoiser(whole, config, latents, encoders)
            models[trained.task.name] = Checkpoint(whole.weights, description)
        history += [asdict(record) for record in trainer.history]
    ordered = {task.name: models[task.name] for task in tasks}
    yield Checkpoint(
        _model_arrays(ordered), {**_describe(ordered, identities, history), "finished": True}
    )


def finished_denoisers(state: Checkpoint) -> dict[str, Checkpoint]:
    """Return the best checkpoint of every denoiser.

    Raises
    ------
    ValueError
        When the training is not finished.
    """
    if not state.metadata.get("finished"):
        raise ValueError(
            "The training state is not finished. Run the diffusion_training pipeline again: it goes "
            "on from the last validation."
        )
    return _stored_models(state)


def _identity(task: DenoiserTask, latents: Mapping[str, str], config: TrainingConfig) -> Identity:
    """Return what a denoiser depends on, as it comes back from JSON."""
    identity = {
        "config": asdict(config),
        "latents": {name: latents[name] for name in (task.target, *task.sources)},
        "patients": fingerprint_arrays({"train": task.train.target, "val": task.validation.target}),
    }
    return json.loads(json.dumps(identity))


def _was_interrupted(former: Checkpoint, identities: Mapping[str, Identity]) -> bool:
    in_training = former.metadata.get("in_training")
    if in_training is not None and in_training != identities:
        logger.warning(
            "An interrupted training is discarded: it has other latents or parameters than this one"
        )
    return in_training == identities


def _describe(
    models: Mapping[str, Checkpoint],
    identities: Mapping[str, Identity],
    history: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "models": {name: model.metadata for name, model in models.items()},
        "identities": {name: identities[name] for name in models},
        "history": list(history),
    }


def _model_arrays(models: Mapping[str, Checkpoint]) -> dict[str, np.ndarray]:
    return {
        f"model/{name}/{weight}": array
        for name, model in models.items()
        for weight, array in model.arrays.items()
    }


def _stored_models(state: Checkpoint) -> dict[str, Checkpoint]:
    return {
        name: Checkpoint(_with_prefix(state.arrays, f"model/{name}"), metadata)
        for name, metadata in state.metadata.get("models", {}).items()
    }


def _with_prefix(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(f"{prefix}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}/")
    }
