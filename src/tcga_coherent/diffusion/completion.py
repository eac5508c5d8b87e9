"""Generate every missing modality of every patient."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.consensus import ErrorMoments
from tcga_coherent.diffusion.ensemble import Draws, Ensemble
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.tasks import SOURCE_SEPARATOR

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Generated:
    """Generated latents of one target.

    Attributes
    ----------
    draws
        Index (``patient_id``, ``draw``), columns latent dimensions, float32; only patients who
        lack the target.
    flags
        One row a patient who lacks the target: ``patient_id``, ``modality``, ``status``
        (generated), ``sources``, ``coherence`` (mean over draws), ``n_draws``, ``n_redrawn``,
        ``n_rejected``, ``accepted`` and ``reason``.
    """

    draws: pd.DataFrame
    flags: pd.DataFrame


def denoisers_for(
    target: str,
    sources: tuple[str, ...],
    method: str,
    denoisers: Mapping[str, LoadedDenoiser],
) -> list[LoadedDenoiser]:
    """Return the denoisers that a method uses to generate `target` from `sources`.

    Parameters
    ----------
    target, sources
        Modalities.
    method
        ``single`` or ``coherent`` (one denoiser a source), or ``multi``.
    denoisers
        Denoisers of the method's family by name.

    Raises
    ------
    ValueError
        When a denoiser was not trained; the message names it.
    """
    names = [target] if method == "multi" else [f"{target}_from_{source}" for source in sources]
    absent = [name for name in names if name not in denoisers]
    if absent:
        raise ValueError(
            f"No trained denoiser {', '.join(absent)}. Run the diffusion_training pipeline with all "
            f"modalities of the modalities parameter."
        )
    return [denoisers[name] for name in names]


def completion_order(targets: list[str], denoisers: Mapping[str, LoadedDenoiser]) -> list[str]:
    """Return targets from the most to the least reliable by validation MSE of their denoisers."""
    error = {
        target: np.mean([d.mse for d in denoisers.values() if d.target == target])
        for target in targets
    }
    return sorted(targets, key=lambda target: error[target])


def complete_latents(
    latents: Mapping[str, pd.DataFrame],
    denoisers: Mapping[str, LoadedDenoiser],
    errors: Mapping[str, ErrorMoments],
    sampling: SamplingConfig,
    completion: CompletionConfig,
) -> dict[str, Generated]:
    """Generate the latents of each modality for the patients who lack it.

    Modalities are generated in the order of their reliability, each from the observed ones and,
    where ``completion.condition_on_generated`` says so, from those generated before, draw by draw.

    Parameters
    ----------
    latents
        Modality to observed latents, patients x latent size; a patient may miss any of them, but
        is listed in at least one.
    denoisers
        Denoisers of the family that ``completion.method`` uses, by name.
    errors
        Target to the error moments of its denoisers, for learned consensus weights.
    sampling, completion
        Parameters.

    Raises
    ------
    ValueError
        When a denoiser is missing.
    """
    patients = pd.Index(sorted(set().union(*(frame.index for frame in latents.values()))))
    generated: dict[str, Generated] = {}
    draws: dict[str, np.ndarray] = {}
    for target in completion_order(list(latents), denoisers):
        lacking = patients.difference(latents[target].index)
        parts = []
        started, done = time.monotonic(), 0
        for sources, group in _by_sources(lacking, latents, draws, completion):
            members = denoisers_for(target, sources, completion.method, denoisers)
            conditions = {s: _condition(s, group, latents, draws, patients) for s in sources}
            keys = named_keys(sampling.seed, target, list(group))
            drawn = Ensemble(members, sampling, errors.get(target)).draw(conditions, keys)
            parts.append((sources, group, drawn))
            done += len(group)
            left = (time.monotonic() - started) / done * (len(lacking) - done)
            logger.info(
                "%s: generated for %d of %d patients, %.1f min left",
                target,
                done,
                len(lacking),
                left / 60,
            )
        columns = latents[target].columns
        values = np.full((len(patients), sampling.n_draws, len(columns)), np.nan, dtype=np.float32)
        flags = []
        for sources, group, drawn in parts:
            values[patients.get_indexer(group)] = drawn.latents.numpy()
            flags.append(_flags(target, sources, group, drawn, sampling))
        draws[target] = values
        generated[target] = Generated(
            draws=draws_frame(lacking, values[patients.get_indexer(lacking)], columns),
            flags=pd.concat(flags, ignore_index=True) if flags else pd.DataFrame(),
        )
    return generated


def _by_sources(
    lacking: pd.Index,
    latents: Mapping[str, pd.DataFrame],
    draws: Mapping[str, np.ndarray],
    completion: CompletionConfig,
) -> Iterator[tuple[tuple[str, ...], pd.Index]]:
    """Group patients by the modalities that can serve as their sources."""
    usable = pd.DataFrame(
        {
            name: lacking.isin(frame.index) | (completion.condition_on_generated and name in draws)
            for name, frame in latents.items()
        },
        index=lacking,
    )
    if len(lacking):
        for pattern, group in usable.groupby(list(usable.columns)):
            sources = tuple(
                name for name, used in zip(usable.columns, pattern, strict=True) if used
            )
            yield sources, group.index


def _condition(
    source: str,
    group: pd.Index,
    latents: Mapping[str, pd.DataFrame],
    draws: Mapping[str, np.ndarray],
    patients: pd.Index,
) -> torch.Tensor:
    """Return a source's latents, one a patient, or one a draw where some were generated."""
    observed = latents[source].reindex(group).to_numpy(np.float32)
    if source not in draws or not np.isnan(observed).any():
        return torch.from_numpy(observed)
    values = draws[source][patients.get_indexer(group)]
    values = np.where(np.isnan(values), observed[:, None, :], values)
    return torch.from_numpy(values)


def _flags(
    target: str,
    sources: tuple[str, ...],
    group: pd.Index,
    drawn: Draws,
    sampling: SamplingConfig,
) -> pd.DataFrame:
    """Describe the draws of patients with the same sources."""
    rejected = (~drawn.accepted).sum(dim=1).numpy()
    return pd.DataFrame(
        {
            "patient_id": group,
            "modality": target,
            "status": "generated",
            "sources": SOURCE_SEPARATOR.join(sources),
            "coherence": drawn.coherence.mean(dim=1).numpy(),
            "n_draws": sampling.n_draws,
            "n_redrawn": (drawn.attempts > 1).sum(dim=1).numpy(),
            "n_rejected": rejected,
            "accepted": rejected == 0,
            "reason": [
                f"{n} of {sampling.n_draws} draws stayed incoherent after "
                f"{sampling.coherence.max_attempts} attempts"
                if n
                else ""
                for n in rejected
            ],
        }
    )


def draws_frame(patients: pd.Index, values: np.ndarray, columns: pd.Index) -> pd.DataFrame:
    """Return draws as a frame, index (``patient_id``, ``draw``).

    Parameters
    ----------
    patients
        Patients.
    values
        Shape (patients, draws, latent size).
    columns
        Names of the latent dimensions.
    """
    n_patients, n_draws, n_features = values.shape
    index = pd.MultiIndex.from_product([patients, range(n_draws)], names=["patient_id", "draw"])
    return pd.DataFrame(
        values.reshape(n_patients * n_draws, n_features), index=index, columns=columns
    )
