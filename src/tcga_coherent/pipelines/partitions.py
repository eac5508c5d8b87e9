"""Load what several pipelines share from partitioned datasets, with the checks they share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser, load_denoiser
from tcga_coherent.diffusion.completion.agreement import Agreement, PairAgreement
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays, fingerprint_frame
from tcga_coherent.diffusion.linear_gaussian import LinearGaussian
from tcga_coherent.diffusion.sampling.consensus import ErrorMoments
from tcga_coherent.diffusion.sampling.recalibration import Recalibration
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.pipelines.lanes import Built, all_pairs, each, lazily, pairs_of

Partitions = Mapping[str, Callable[[], Any]]


def latents() -> Built:
    """Return the checked latents: modality to frame, patients x latent size."""
    return Built(load_latents, (each("latents", configured_modalities()),))


def conditions() -> Built:
    """Return what other modalities are generated from: modality to frame, patients x (latent size + code size)."""
    modalities = configured_modalities()
    return Built(join_conditions, (latents(), each("codes", modalities)))


def models(
    target: str | None = None, *, weighted: bool = True, recalibrated: bool = False
) -> Built:
    """Return the :class:`tcga_coherent.diffusion.trained_models.TrainedModels` of these latents.

    Parameters
    ----------
    target
        Modality whose denoisers there are; None for those of all.
    weighted
        Whether what consensus weights are learned from is among them.
    recalibrated
        Whether the factors of the spread are among them.
    """
    modalities = configured_modalities()
    targets = modalities if target is None else [target]
    pairs = all_pairs(modalities) if target is None else pairs_of(target, modalities)
    spread = (each("recalibration", targets),) if recalibrated else ()
    return Built(
        load_models_of_conditions,
        (
            conditions(),
            each("single", pairs),
            each("multi", targets),
            each("consensus", targets if weighted else []),
            each("linear", targets),
            "params:compute.device",
            *spread,
        ),
    )


def load_latents(latents: Partitions) -> dict[str, pd.DataFrame]:
    """Load the latents of every modality.

    Raises
    ------
    ValueError
        When they hold NaN or infinite values; naming modality and patients.
    """
    frames = {name: load() for name, load in latents.items()}
    for name, frame in frames.items():
        bad = frame.index[~np.isfinite(frame.to_numpy()).all(axis=1)]
        if len(bad):
            raise ValueError(
                f"Latents of {name} are not finite for {len(bad)} patients, such as "
                f"{', '.join(map(str, bad[:3]))}. Run the embedding pipeline again."
            )
    return frames


def join_conditions(
    frames: Mapping[str, pd.DataFrame], codes: Partitions
) -> dict[str, pd.DataFrame]:
    """Put the codes of every modality beside its latents.

    Raises
    ------
    ValueError
        When they are of different patients.
    """
    joined = {}
    for name, frame in frames.items():
        code = codes[name]()
        if not code.index.equals(frame.index):
            raise ValueError(
                f"Latents and codes of {name} are of different patients. Run the embedding pipeline again."
            )
        joined[name] = pd.concat([frame, code], axis=1)
    return joined


def load_models_of_conditions(
    conditions: Mapping[str, pd.DataFrame],
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    linear: Partitions,
    device: str,
    recalibration: Partitions | None = None,
) -> TrainedModels:
    """Load the models that were trained on these latents and codes; see :func:`load_models`.

    Parameters
    ----------
    conditions
        Result of :func:`join_conditions`.
    single_denoisers, multi_denoisers, consensus, linear, device, recalibration
        As in :func:`load_models`.

    Raises
    ------
    ValueError
        When a denoiser was trained on other latents, or the device is not there.
    """
    prints = {name: fingerprint_frame(frame) for name, frame in conditions.items()}
    return load_models(
        single_denoisers,
        multi_denoisers,
        consensus,
        linear,
        "latents",
        prints,
        device,
        recalibration,
    )


def fingerprint_checkpoints(checkpoints: Mapping[str, Callable[[], Checkpoint]]) -> dict[str, str]:
    """Return the fingerprint of the arrays of every checkpoint of a dataset, by name."""
    return {name: fingerprint_arrays(load().arrays) for name, load in checkpoints.items()}


def load_models(
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    linear: Partitions,
    kind: Literal["latents", "encoders"],
    fingerprints: Mapping[str, str],
    device: str,
    recalibration: Partitions | None = None,
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
        lazily({name: load() for name, load in checkpoints.items()})
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
    checkpoints: Mapping[str, Callable[[], Checkpoint]],
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
    checkpoints: Mapping[str, Callable[[], Checkpoint]],
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


def load_consensus(consensus: Mapping[str, Callable[[], Checkpoint]]) -> dict[str, ErrorMoments]:
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


def load_recalibrations(checkpoints: Mapping[str, Callable[[], Checkpoint]]) -> Recalibration:
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
    for number, (pair, fitted) in enumerate(agreement.pairs.items()):
        arrays[f"{number}/mean"] = fitted.mean
        arrays[f"{number}/matrix"] = fitted.matrix
        arrays[f"{number}/reference"] = agreement.reference[pair]
    return Checkpoint(arrays, {"pairs": [list(pair) for pair in agreement.pairs]})


def load_agreement(checkpoint: Checkpoint) -> Agreement:
    """Return the pairs that :func:`store_agreement` stored."""
    arrays = checkpoint.arrays
    pairs = [(a, b) for a, b in checkpoint.metadata["pairs"]]
    return Agreement(
        {
            pair: PairAgreement(arrays[f"{number}/mean"], arrays[f"{number}/matrix"])
            for number, pair in enumerate(pairs)
        },
        {pair: arrays[f"{number}/reference"] for number, pair in enumerate(pairs)},
    )
