"""Made-up patients put into a training, to see how well they can be extracted again.

The modalities of a canary have nothing to do with each other, so a model can tell its target from
others of the same distribution only by having remembered it. Among alternatives the rank of the true
target is then uniform without memory, and exposure (Carlini et al., 2019, The Secret Sharer),
``log2(candidates) - log2(rank)``, has an expectation that is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.privacy.attacks.losses import Noising, model_losses
from tcga_coherent.privacy.attacks.parameters import CanaryParameters
from tcga_coherent.source_sets import join_sources

WITHIN, FAR = "within", "far"
NOT_IMPLANTED = 0


@dataclass(frozen=True)
class Canaries:
    """Made-up patients.

    Attributes
    ----------
    table
        Index their names; ``kind`` (within, far) and ``copies`` in the training split.
    conditions
        Modality to latents and codes, canaries x columns.
    alternatives
        Modality to targets of the same distribution, canaries x alternatives x dimensions.
    """

    table: pd.DataFrame
    conditions: dict[str, Array]
    alternatives: dict[str, Array]

    @property
    def latents(self) -> dict[str, Array]:
        """Modality to latents, canaries x dimensions."""
        return {
            name: values[:, : self.alternatives[name].shape[2]]
            for name, values in self.conditions.items()
        }

    def without_copies(self) -> "Canaries":
        """Return the same canaries for a training that they are no part of."""
        return replace(self, table=self.table.assign(copies=NOT_IMPLANTED))


def make_canaries(cohort: Cohort, parameters: CanaryParameters, seed: int) -> Canaries:
    """Draw canaries from normal distributions with the training patients' mean and covariance.

    Parameters
    ----------
    cohort
        Latents, codes and training patients.
    parameters
        How many, of which kinds.
    seed
        Seed of the canaries.
    """
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        [
            {"kind": kind, "copies": copies}
            for kind in (WITHIN, FAR)
            for copies in parameters.copies
            for _ in range(parameters.n_each)
        ]
    )
    table.index = pd.Index(
        [f"canary-{seed}-{i}" for i in range(len(table))], name=cohort.train.name
    )
    factor = table["kind"].map({WITHIN: 1.0, FAR: parameters.far_factor}).to_numpy()
    drawn, alternatives = {}, {}
    for modality, frame in cohort.conditions.items():
        values = frame.loc[frame.index.intersection(cohort.train)].to_numpy(float)
        mean = values.mean(axis=0)
        # Of more columns than patients the covariance is singular: draws are mixtures of patients.
        mixed = random.standard_normal((len(table), len(values))) / np.sqrt(len(values) - 1)
        drawn[modality] = _drawn_apart(mean, mixed @ (values - mean), factor[:, None])
        size = cohort.latents[modality].shape[1]
        covariance = np.cov(values[:, :size], rowvar=False)
        deviations = random.multivariate_normal(
            np.zeros(size), covariance, size=(len(table), parameters.n_alternatives)
        )
        alternatives[modality] = _drawn_apart(mean[:size], deviations, factor[:, None, None])
    return Canaries(table, drawn, alternatives)


def _drawn_apart(mean: Array, deviations: Array, factor: Array) -> Array:
    return (mean + factor * deviations).astype(np.float32)


def implant(
    conditions: Mapping[str, pd.DataFrame], split: pd.Series, canaries: Canaries
) -> tuple[dict[str, pd.DataFrame], pd.Series]:
    """Put canaries into the training split, each as often as it has copies.

    Parameters
    ----------
    conditions
        Modality to latents and codes, patients x columns.
    split
        ``train``, ``val`` or ``test`` of each patient.
    canaries
        Canaries.

    Returns
    -------
    conditions, split
        The same with rows for the canaries.
    """
    copies = canaries.table["copies"].to_numpy()
    names = [
        f"{name}-{copy}"
        for name, n_copies in zip(canaries.table.index, copies, strict=True)
        for copy in range(n_copies)
    ]
    index = pd.Index(names, name=split.index.name)
    extended = {}
    for modality, frame in conditions.items():
        values = canaries.conditions[modality].repeat(copies, axis=0).astype(np.float32)
        extended[modality] = pd.concat([frame, pd.DataFrame(values, index, frame.columns)])
    return extended, pd.concat([split, pd.Series("train", index=index)])


def measure_canaries(
    models: TrainedModels,
    canaries: Canaries,
    sampling: SamplingConfig,
    parameters: CanaryParameters,
    seed: int,
) -> pd.DataFrame:
    """Rank the true target of each canary among its alternatives.

    Parameters
    ----------
    models
        Trained denoisers.
    canaries
        Those of their training, or others for the null.
    sampling
        How conditional draws are made.
    parameters
        Noise levels and noises of the losses.
    seed
        Seed of noise.

    Returns
    -------
    DataFrame
        One row an attack (``canary_loss``: by denoising loss; ``canary_draws``: by distance of
        conditional draws), method, target, source and canary, with ``kind``, ``copies`` and
        ``exposure`` in bits.
    """
    n_canaries = len(canaries.table)
    n_candidates = parameters.n_alternatives + 1
    noising = Noising(parameters.timesteps, parameters.n_noises, seed)
    rows = []
    for target in canaries.latents:
        candidates = np.concatenate(
            [canaries.latents[target][:, None], canaries.alternatives[target]], axis=1
        )
        latents = {
            name: torch.from_numpy(values.repeat(n_candidates, axis=0))
            for name, values in canaries.latents.items()
        } | {target: torch.from_numpy(candidates.reshape(n_canaries * n_candidates, -1))}
        given = {
            name: torch.from_numpy(values.repeat(n_candidates, axis=0))
            for name, values in canaries.conditions.items()
        }
        losses = model_losses(models, sampling, latents, given, noising, (target,))
        for (method, _, source), values in losses.items():
            scores = values.mean(axis=1).reshape(n_canaries, n_candidates)
            rows.append(_exposures("canary_loss", method, target, source, scores, canaries))
        sources = tuple(name for name in canaries.latents if name != target)
        conditions = {s: torch.from_numpy(canaries.conditions[s]) for s in sources}
        keys = named_keys(seed, f"canaries, {target}", list(canaries.table.index))
        for method in ("multi", "coherent"):
            ensemble = models.ensemble(target, method, sources, sampling)
            draws = ensemble.draw(conditions, keys).latents.numpy()
            scores = np.linalg.norm(candidates[:, :, None] - draws[:, None], axis=3).mean(axis=2)
            joined = join_sources(sources)
            rows.append(_exposures("canary_draws", method, target, joined, scores, canaries))
    return pd.concat(rows, ignore_index=True)


def exposure(scores: Array) -> Array:
    """Return the exposure of the first candidate by its score, low scores first.

    Parameters
    ----------
    scores
        Targets x candidates, the true one first.

    Returns
    -------
    ndarray
        Bits, from 0 to log2(candidates), one a target. Equal scores count half, as far as a rank
        can.
    """
    truth, others = scores[:, :1], scores[:, 1:]
    rank = 1 + (others < truth).sum(axis=1) + 0.5 * (others == truth).sum(axis=1)
    return np.log2(scores.shape[1]) - np.log2(rank)


def expected_exposure(n_candidates: int) -> float:
    """Return the mean exposure where all ranks are equally likely; near 1.44 bits for many."""
    return float(np.log2(n_candidates) - np.log2(np.arange(1, n_candidates + 1)).mean())


def _exposures(
    attack: str, method: str, target: str, source: str, scores: Array, canaries: Canaries
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "attack": attack,
            "method": method,
            "target": target,
            "source": source,
            "patient_id": canaries.table.index,
            "kind": canaries.table["kind"].to_numpy(),
            "copies": canaries.table["copies"].to_numpy(),
            "exposure": exposure(scores),
        }
    )
