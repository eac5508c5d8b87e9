"""Denoiser checkpoints: what is stored of a trained model, and the checks on loading it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch

from tcga_coherent import __version__
from tcga_coherent.diffusion.config import TrainingConfig, parse_process
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.process import Process
from tcga_coherent.diffusion.training.trainer import TrainedDenoiser


@dataclass(frozen=True)
class LoadedDenoiser:
    """A trained denoiser, ready to predict noise.

    Attributes
    ----------
    name, target, sources
        As in :class:`tcga_coherent.diffusion.training.tasks.DenoiserTask`.
    network
        Stack of one model, in evaluation mode.
    process
        Path from data to noise it was trained on.
    mse
        Mean squared error of its draws on validation.
    """

    name: str
    target: str
    sources: tuple[str, ...]
    network: StackedDenoiser
    process: Process
    mse: float


def describe_denoiser(
    trained: TrainedDenoiser,
    config: TrainingConfig,
    latents: Mapping[str, str],
    encoders: Mapping[str, str],
) -> dict[str, Any]:
    """Return the JSON-serialisable description that is stored beside the weights.

    Parameters
    ----------
    trained
        Trained model.
    config
        Parameters it was trained with.
    latents, encoders
        Fingerprints of every modality's latents and encoder.
    """
    task = trained.task
    modalities = (task.target, *task.sources)
    return {
        "name": task.name,
        "target": task.target,
        "sources": list(task.sources),
        "architecture": asdict(trained.shape),
        "process": asdict(config.process),  # type: ignore[call-overload]
        "training": {k: v for k, v in asdict(config).items() if k != "process"},
        "step": trained.step,
        "n_train": len(task.train.target),
        "validation": {"energy_score": trained.energy_score, "mse": trained.mse},
        "fingerprints": {
            "latents": {name: latents[name] for name in modalities},
            "encoders": {name: encoders[name] for name in modalities},
        },
        "version": __version__,
    }


def load_denoiser(
    weights: Mapping[str, np.ndarray],
    description: Mapping[str, Any],
    kind: Literal["latents", "encoders"],
    fingerprints: Mapping[str, str],
    device: torch.device,
) -> LoadedDenoiser:
    """Rebuild a denoiser, after checking that it belongs to these latents.

    Parameters
    ----------
    weights, description
        Content of the checkpoint.
    kind
        What is compared: the ``latents`` of the cohort it was trained on, or, for patients it has
        never seen, the ``encoders`` that made their latents.
    fingerprints
        Modality to fingerprint of what is at hand.
    device
        Where it shall run.

    Raises
    ------
    ValueError
        When the denoiser was trained on other latents; the message names the modalities.
    """
    differing = [
        modality
        for modality, fingerprint in description["fingerprints"][kind].items()
        if fingerprints.get(modality) != fingerprint
    ]
    if differing:
        raise ValueError(
            f"Denoiser {description['name']} was trained on other {kind} of "
            f"{', '.join(differing)} than those at hand. Run the diffusion_training pipeline again, "
            f"or restore the {kind} it was trained with."
        )
    architecture = dict(description["architecture"])
    shape = DenoiserShape(
        **{**architecture, "condition_dims": tuple(architecture["condition_dims"])}
    )
    network = StackedDenoiser(1, shape)
    network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
    return LoadedDenoiser(
        name=description["name"],
        target=description["target"],
        sources=tuple(description["sources"]),
        network=network.to(device).eval(),
        process=parse_process(description["process"]),
        mse=description["validation"]["mse"],
    )


def stack_networks(networks: Sequence[StackedDenoiser]) -> StackedDenoiser:
    """Join networks of equal shape to one stack.

    Raises
    ------
    ValueError
        When the shapes differ.
    """
    shapes = {network.shape for network in networks}
    if len(shapes) != 1:
        raise ValueError(
            f"Networks of different shapes cannot be stacked: {sorted(map(str, shapes))}."
        )
    states = [network.state_dict() for network in networks]
    n_models = sum(network.n_models for network in networks)
    stacked = StackedDenoiser(n_models, networks[0].shape)
    stacked.load_state_dict({name: torch.cat([s[name] for s in states]) for name in states[0]})
    return stacked.to(next(networks[0].parameters()).device).eval()
