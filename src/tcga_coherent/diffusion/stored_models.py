"""Trained models as checkpoints, and back, with the checks on what belongs together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser, load_denoiser
from tcga_coherent.diffusion.completion.agreement import Agreement, PairAgreement
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays
from tcga_coherent.diffusion.linear_gaussian import LinearGaussian
from tcga_coherent.diffusion.sampling.consensus import ErrorMoments
from tcga_coherent.diffusion.sampling.recalibration import Recalibration
from tcga_coherent.diffusion.trained_models import TrainedModels

# Name of a checkpoint to a function that reads it.
Checkpoints = Mapping[str, Callable[[], Checkpoint]]


def fingerprint_checkpoints(checkpoints: Checkpoints) -> dict[str, str]:
    """Return the fingerprint of the arrays of every checkpoint of a dataset, by name."""
    return {name: fingerprint_arrays(load().arrays) for name, load in checkpoints.items()}


def load_models(
    single_denoisers: Checkpoints,
    multi_denoisers: Checkpoints,
    consensus: Checkpoints,
    linear: Checkpoints,
    kind: Literal["latents", "encoders"],
    fingerprints: Mapping[str, str],
    device: str,
    recalibration: Checkpoints | None = None,
) -> TrainedModels:
    """Load both families of denoisers and what their ensembles need.

    Parameters
    ----------
    single_denoisers, multi_denoisers, consensus, linear
        Datasets of these names.
    kind, fingerprints, device
        As in :func:`load_denoisers`.
    recalibration
        Target to the factors of its spread, or None before they are fitted.

    Raises
    ------
    ValueError
        When a denoiser was trained on other latents, or the device is not there.
    """
    # Read once, for what they hold and for their fingerprints.
    single, multi, weighed, experts = (
        {name: partial(_itself, load()) for name, load in checkpoints.items()}
        for checkpoints in (single_denoisers, multi_denoisers, consensus, linear)
    )
    return TrainedModels(
        single=load_denoisers(single, kind, fingerprints, device),
        multi=load_denoisers(multi, kind, fingerprints, device),
        errors=load_consensus(weighed),
        linear=load_linear_experts(experts, kind, fingerprints),
        recalibration=None if recalibration is None else load_recalibrations(recalibration),
        identity={
            "single": fingerprint_checkpoints(single),
            "multi": fingerprint_checkpoints(multi),
            "consensus": fingerprint_checkpoints(weighed),
            "linear": fingerprint_checkpoints(experts),
        },
    )


def load_denoisers(
    checkpoints: Checkpoints,
    kind: Literal["latents", "encoders"],
    fingerprints: Mapping[str, str],
    device: str,
) -> dict[str, LoadedDenoiser]:
    """Load the denoisers of a family, checking that they belong to what is at hand.

    Denoisers of modalities that are not at hand are left out.

    Parameters
    ----------
    checkpoints
        Denoiser name to a function that loads its checkpoint.
    kind, fingerprints
        As in :func:`tcga_coherent.diffusion.checkpoints.load_denoiser`.
    device
        The parameter ``compute.device``.

    Raises
    ------
    ValueError
        When a denoiser was trained on other latents, or the device is not there.
    """
    resolved = resolve_device(device)
    loaded = {}
    for name, load in checkpoints.items():
        checkpoint = load()
        if {checkpoint.metadata["target"], *checkpoint.metadata["sources"]} <= set(fingerprints):
            loaded[name] = load_denoiser(
                checkpoint.arrays, checkpoint.metadata, kind, fingerprints, resolved
            )
    return loaded


def store_linear_experts(
    experts: Sequence[LinearGaussian], latents: Mapping[str, str], encoders: Mapping[str, str]
) -> Checkpoint:
    """Return the linear-Gaussian experts of a target as a checkpoint; :func:`load_linear_experts` reads it.

    Parameters
    ----------
    experts
        Experts.
    latents, encoders
        Fingerprints of every modality's latents and encoder.
    """
    arrays, described = {}, {}
    for expert in experts:
        arrays[f"{expert.name}/intercept"] = expert.intercept
        arrays[f"{expert.name}/covariance"] = expert.covariance
        for source, coefficients in expert.coefficients.items():
            arrays[f"{expert.name}/coefficients/{source}"] = coefficients
        described[expert.name] = {
            "target": expert.target,
            "sources": list(expert.sources),
            "n_train": expert.n_train,
        }
    fingerprints = {"latents": dict(latents), "encoders": dict(encoders)}
    return Checkpoint(arrays, {"experts": described, "fingerprints": fingerprints})


def load_linear_experts(
    checkpoints: Checkpoints,
    kind: Literal["latents", "encoders"],
    fingerprints: Mapping[str, str],
) -> dict[str, LinearGaussian]:
    """Load the linear-Gaussian experts of all targets, checking that they belong to what is at hand.

    Parameters and errors are those of :func:`load_denoisers`; experts of modalities that are not at hand are
    left out too.
    """
    loaded = {}
    for target, load in checkpoints.items():
        checkpoint = load()
        for name, known in checkpoint.metadata["experts"].items():
            modalities = (known["target"], *known["sources"])
            if not set(modalities) <= set(fingerprints):
                continue
            fitted = checkpoint.metadata["fingerprints"][kind]
            differing = [m for m in modalities if fitted[m] != fingerprints[m]]
            if differing:
                raise ValueError(
                    f"The linear experts of {target} were fitted on other {kind} of {', '.join(differing)} than "
                    f"those at hand. Run the diffusion_training pipeline again."
                )
            loaded[name] = LinearGaussian(
                target=known["target"],
                sources=tuple(known["sources"]),
                coefficients={
                    source: checkpoint.arrays[f"{name}/coefficients/{source}"]
                    for source in known["sources"]
                },
                intercept=checkpoint.arrays[f"{name}/intercept"],
                covariance=checkpoint.arrays[f"{name}/covariance"],
                n_train=known["n_train"],
            )
    return loaded


def load_consensus(consensus: Checkpoints) -> dict[str, ErrorMoments]:
    """Load what the consensus weights are learned from, by target."""
    loaded = {}
    for target, load in consensus.items():
        checkpoint = load()
        loaded[target] = ErrorMoments(
            names=tuple(checkpoint.metadata["denoisers"]),
            timesteps=checkpoint.arrays["timesteps"],
            moments=checkpoint.arrays["moments"],
            halves=checkpoint.arrays.get("halves"),
        )
    return loaded


def store_recalibration(recalibration: Recalibration) -> Checkpoint:
    """Return fitted factors of the spread as a checkpoint; :func:`load_recalibrations` reads it."""
    return Checkpoint(
        {"spreads": np.array(list(recalibration.spreads.values()))},
        {
            "names": list(recalibration.spreads),
            "settings": dict(recalibration.settings),
            "denoisers": dict(recalibration.denoisers),
        },
    )


def load_recalibrations(checkpoints: Checkpoints) -> Recalibration:
    """Join the factors that :func:`store_recalibration` stored of each target."""
    spreads: dict[str, float] = {}
    settings: dict[str, Any] = {}
    denoisers: dict[str, float] = {}
    for load in checkpoints.values():
        checkpoint = load()
        metadata = checkpoint.metadata
        factors = checkpoint.arrays["spreads"].tolist()
        spreads |= dict(zip(metadata["names"], factors, strict=True))
        settings |= metadata["settings"]
        denoisers |= metadata["denoisers"]
    return Recalibration(spreads, settings, denoisers)


def store_agreement(agreement: Agreement) -> Checkpoint:
    """Return fitted pairs of modalities as a checkpoint; :func:`load_agreement` reads it."""
    arrays = {}
    for number, fitted in enumerate(agreement.pairs.values()):
        arrays[f"{number}/mean"] = fitted.mean
        arrays[f"{number}/matrix"] = fitted.matrix
    sets = [sorted(chosen) for chosen in agreement.reference]
    for number, values in enumerate(agreement.reference.values()):
        arrays[f"reference/{number}"] = values
    return Checkpoint(arrays, {"pairs": [list(pair) for pair in agreement.pairs], "sets": sets})


def load_agreement(checkpoint: Checkpoint) -> Agreement:
    """Return the pairs that :func:`store_agreement` stored.

    Raises
    ------
    ValueError
        When an older version stored them.
    """
    arrays = checkpoint.arrays
    if "sets" not in checkpoint.metadata:
        raise ValueError(
            "The agreement of the modalities was fitted by an older version: run the coherent_sampling pipeline "
            "again."
        )
    pairs = [(a, b) for a, b in checkpoint.metadata["pairs"]]
    return Agreement(
        {
            pair: PairAgreement(arrays[f"{number}/mean"], arrays[f"{number}/matrix"])
            for number, pair in enumerate(pairs)
        },
        {
            frozenset(chosen): arrays[f"reference/{number}"]
            for number, chosen in enumerate(checkpoint.metadata["sets"])
        },
    )


def _itself(checkpoint: Checkpoint) -> Checkpoint:
    return checkpoint
