"""Load what several pipelines share from partitioned datasets, with the checks they share."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser, load_denoiser
from tcga_coherent.diffusion.completion.agreement import Agreement, PairAgreement
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays, fingerprint_frame
from tcga_coherent.diffusion.sampling.consensus import ErrorMoments
from tcga_coherent.diffusion.sampling.recalibration import Recalibration
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.pipelines.lanes import Built, all_pairs, each, lazily, pairs_of

Partitions = Mapping[str, Callable[[], Any]]


def latents() -> Built:
    """Return the checked latents: modality to frame, patients x latent size."""
    return Built(load_latents, (each("latents", configured_modalities()),))


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
        load_models_of_latents,
        (
            latents(),
            each("single", pairs),
            each("multi", targets),
            each("consensus", targets if weighted else []),
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


def load_models_of_latents(
    frames: Mapping[str, pd.DataFrame],
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    device: str,
    recalibration: Partitions | None = None,
) -> TrainedModels:
    """Load the models that were trained on these latents; see :func:`load_models`.

    Parameters
    ----------
    frames
        Modality to latents, patients x latent size.
    single_denoisers, multi_denoisers, consensus, device, recalibration
        As in :func:`load_models`.

    Raises
    ------
    ValueError
        When a denoiser was trained on other latents, or the device is not there.
    """
    prints = {name: fingerprint_frame(frame) for name, frame in frames.items()}
    return load_models(
        single_denoisers, multi_denoisers, consensus, "latents", prints, device, recalibration
    )


def fingerprint_checkpoints(checkpoints: Mapping[str, Callable[[], Checkpoint]]) -> dict[str, str]:
    """Return the fingerprint of the arrays of every checkpoint of a dataset, by name."""
    return {name: fingerprint_arrays(load().arrays) for name, load in checkpoints.items()}


def load_models(
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    kind: Literal["latents", "encoders"],
    fingerprints: Mapping[str, str],
    device: str,
    recalibration: Partitions | None = None,
) -> TrainedModels:
    """Load both families of denoisers and what their ensembles need.

    Parameters
    ----------
    single_denoisers, multi_denoisers, consensus
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
    single, multi, weighed = (
        lazily({name: load() for name, load in checkpoints.items()})
        for checkpoints in (single_denoisers, multi_denoisers, consensus)
    )
    return TrainedModels(
        single=load_denoisers(single, kind, fingerprints, device),
        multi=load_denoisers(multi, kind, fingerprints, device),
        errors=load_consensus(weighed),
        recalibration=None if recalibration is None else load_recalibrations(recalibration),
        identity={
            "single": fingerprint_checkpoints(single),
            "multi": fingerprint_checkpoints(multi),
            "consensus": fingerprint_checkpoints(weighed),
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
