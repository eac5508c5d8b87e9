"""Generate every missing modality of every patient."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from tcga_coherent.diffusion.completion.agreement import Agreement
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.ensemble import Draws
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.source_sets import join_sources

logger = logging.getLogger(__name__)

# Target to the patients who lack it and their draws, patients x draws x latent size.
Drawn = dict[str, tuple[pd.Index, np.ndarray]]
# At most one message of progress in as many.
SECONDS_BETWEEN_MESSAGES = 10.0
# Sources that disagree more than in this percentage of validation patients are pointed out.
UNUSUAL_PERCENTILE = 99.0


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
        (generated), ``sources``, ``coherence`` (mean over draws), ``disagreement``
        (percentile among validation patients, :meth:`Agreement.percentile`; missing for one source),
        ``n_draws``, ``n_redrawn``, ``n_rejected``, ``accepted`` and ``reason``.
    """

    draws: pd.DataFrame
    flags: pd.DataFrame


def complete_latents(
    latents: Mapping[str, pd.DataFrame],
    codes: Mapping[str, pd.DataFrame],
    code_of: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    models: TrainedModels,
    agreement: Agreement,
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
    codes
        Modality to the codes of the same patients, patients x code size.
    code_of
        Modality to the function that returns the codes of generated latents, rows x latent size.
    models
        Trained denoisers.
    agreement
        How well the modalities of a patient usually fit each other.
    sampling, completion
        Parameters.

    Raises
    ------
    ValueError
        When a denoiser or its recalibration is missing.
    """
    # Permission to draw without a source is for studies of the models, never for patients.
    sampling = replace(sampling, allow_unconditional=False)
    patients = pd.Index(sorted(set().union(*(frame.index for frame in latents.values()))))
    disagreement = _disagreement(patients, latents, agreement)
    generated: dict[str, Generated] = {}
    draws: Drawn = {}
    for target in models.completion_order(list(latents), completion.method):
        lacking = patients.difference(latents[target].index)
        parts = []
        started, said, done = time.monotonic(), time.monotonic(), 0
        for sources, group in _by_sources(lacking, latents, draws, completion):
            ensemble = models.ensemble(target, completion.method, sources, sampling)
            conditions = {s: _condition(s, group, latents, codes, code_of, draws) for s in sources}
            keys = named_keys(sampling.seed, target, list(group))
            drawn = ensemble.draw(conditions, keys)
            note = _borrowed_spread(models, target, sources, sampling, completion)
            parts.append((sources, group, drawn, note))
            done += len(group)
            now = time.monotonic()
            if now - said > SECONDS_BETWEEN_MESSAGES:
                said, left = now, (now - started) / done * (len(lacking) - done)
                logger.info(
                    "%s: generated for %d of %d patients, %.1f min left",
                    target,
                    done,
                    len(lacking),
                    left / 60,
                )
        columns = latents[target].columns
        values = np.empty((len(lacking), sampling.n_draws, len(columns)), dtype=np.float32)
        flags = []
        for sources, group, drawn, note in parts:
            values[lacking.get_indexer(group)] = drawn.latents.numpy()
            flags.append(_flags(target, sources, group, drawn, disagreement[group], sampling, note))
        draws[target] = (lacking, values)
        generated[target] = Generated(
            draws=draws_frame(lacking, values, columns),
            flags=pd.concat(flags, ignore_index=True) if flags else pd.DataFrame(),
        )
    return generated


def warn_of_few_references(agreement: Agreement) -> None:
    """Say so where too few validation patients are known to point out exchanged samples."""
    if agreement.highest_percentile() < UNUSUAL_PERCENTILE:
        logger.warning(
            "Exchanged samples are not pointed out: it takes %d validation patients to tell what %g %% of "
            "patients stay below, and there are fewer",
            round(UNUSUAL_PERCENTILE / (100 - UNUSUAL_PERCENTILE)),
            UNUSUAL_PERCENTILE,
        )


def _by_sources(
    lacking: pd.Index,
    latents: Mapping[str, pd.DataFrame],
    draws: Drawn,
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
    codes: Mapping[str, pd.DataFrame],
    code_of: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    draws: Drawn,
) -> torch.Tensor:
    """Return a source's latents and codes, one a patient, or one a draw where some were generated."""
    observed = np.hstack(
        [frame.reindex(group).to_numpy(np.float32) for frame in (latents[source], codes[source])]
    )
    if source not in draws or not np.isnan(observed).any():
        return torch.from_numpy(observed)
    members, drawn = draws[source]
    lacks = np.isnan(observed)[:, None, :]
    rows = drawn[members.get_indexer(group)]
    code = code_of[source](rows.reshape(-1, rows.shape[2])).reshape(*rows.shape[:2], -1)
    generated = np.concatenate([rows, code.astype(np.float32)], axis=2)
    return torch.from_numpy(np.where(lacks, generated, observed[:, None, :]))


def _borrowed_spread(
    models: TrainedModels,
    target: str,
    sources: tuple[str, ...],
    sampling: SamplingConfig,
    completion: CompletionConfig,
) -> str:
    """Say whose spread the draws have where none was fitted for their sources; empty otherwise."""
    if not sampling.recalibrate or models.recalibration is None:
        return ""
    fitted = models.recalibration.fitted_sources(target, completion.method, sources)
    if fitted == sources:
        return ""
    return f"the spread is that of draws from {join_sources(fitted)}: none was fitted for these sources"


def _disagreement(
    patients: pd.Index, latents: Mapping[str, pd.DataFrame], agreement: Agreement
) -> pd.Series:
    """Return how unusually badly the measured modalities of each patient fit, in percent."""
    presence = pd.DataFrame(
        {name: patients.isin(frame.index) for name, frame in latents.items()}, index=patients
    )
    percentiles = pd.Series(np.nan, index=patients)
    for _, group in presence.groupby(list(presence.columns)):
        measured = [name for name in presence.columns if group[name].iloc[0]]
        values = {name: latents[name].loc[group.index].to_numpy(float) for name in measured}
        percentiles[group.index] = agreement.percentile(measured, agreement.disagreement(values))
    return percentiles


def _flags(
    target: str,
    sources: tuple[str, ...],
    group: pd.Index,
    drawn: Draws,
    disagreement: pd.Series,
    sampling: SamplingConfig,
    note: str,
) -> pd.DataFrame:
    """Describe the draws of patients with the same sources; `note` is a reason of all of them."""
    rejected = (~drawn.accepted).sum(dim=1).numpy()
    reasons = []
    for n_rejected, percentile in zip(rejected, disagreement, strict=True):
        found = [note] if note else []
        if n_rejected:
            found.append(
                f"{n_rejected} of {sampling.n_draws} draws stayed incoherent after "
                f"{sampling.coherence.max_attempts} attempts"
            )
        if percentile >= UNUSUAL_PERCENTILE:
            found.append(
                f"the sources disagree more than in {percentile:.1f} % of validation patients: were "
                f"samples exchanged?"
            )
        reasons.append("; ".join(found))
    return pd.DataFrame(
        {
            "patient_id": group,
            "modality": target,
            "status": "generated",
            "sources": join_sources(sources),
            "coherence": drawn.coherence.mean(dim=1).numpy(),
            "disagreement": disagreement.to_numpy(),
            "n_draws": sampling.n_draws,
            "n_redrawn": (drawn.attempts > 1).sum(dim=1).numpy(),
            "n_rejected": rejected,
            "accepted": rejected == 0,
            "reason": reasons,
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
