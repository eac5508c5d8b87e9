"""Load what several pipelines share from partitioned datasets, with the checks they share."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.stored_models import load_models
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.pipelines.lanes import Built, all_pairs, each, pairs_of

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
    """Load the models that were trained on these latents and codes.

    Parameters
    ----------
    conditions
        Result of :func:`join_conditions`.
    single_denoisers, multi_denoisers, consensus, linear, device, recalibration
        As in :func:`tcga_coherent.diffusion.stored_models.load_models`.

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
