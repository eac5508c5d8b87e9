"""Coherent Denoising: denoisers of one target that agree on one noise estimate a step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch.nn import functional

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser, stack_networks
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.consensus import ErrorMoments, consensus_weights
from tcga_coherent.diffusion.inference import FoldedDenoiser
from tcga_coherent.diffusion.noise import derive_keys, normal_noise
from tcga_coherent.diffusion.samplers import (
    DDIMSampler,
    DDPMSampler,
    DPMSolverSampler,
    Sampler,
)
from tcga_coherent.diffusion.schedule import NoiseSchedule


@dataclass(frozen=True)
class Draws:
    """Draws of one target for some patients.

    Attributes
    ----------
    latents
        Shape (patients, draws, target_dim).
    coherence
        Weighted mean pairwise cosine distance of the noise estimates, averaged over the timesteps,
        shape (patients, draws); 0 for one denoiser. Lower is more coherent.
    incoherent_share
        Share of timesteps above the threshold, shape (patients, draws).
    attempts
        Times each draw was made, shape (patients, draws).
    accepted
        False where the last attempt was rejected too, shape (patients, draws).
    """

    latents: torch.Tensor
    coherence: torch.Tensor
    incoherent_share: torch.Tensor
    attempts: torch.Tensor
    accepted: torch.Tensor


def pairwise_cosine_distance(estimates: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean of the pairwise cosine distances between noise estimates.

    Pair (i, j) has weight ``w_i w_j``, normalised over the pairs; where one model has all the
    weight there is no disagreement to measure and the distance is 0.

    Parameters
    ----------
    estimates
        Shape (n_models, target_dim, rows).
    weights
        Shape (n_models,).

    Returns
    -------
    torch.Tensor
        Shape (rows,), between 0 (same direction) and 2 (opposite); 0 for a single model.
    """
    n_models, _, rows = estimates.shape
    total = estimates.new_zeros(rows)
    norm = 0.0
    for i in range(n_models):
        for j in range(i + 1, n_models):
            weight = float(weights[i] * weights[j])
            similarity = functional.cosine_similarity(estimates[i], estimates[j], dim=0)
            total += weight * (1.0 - similarity)
            norm += weight
    return total / norm if norm > 0 else total


def timestep_shares(timesteps: Sequence[int]) -> list[float]:
    """Return the share of all timesteps that each visit stands for.

    A few-step sampler that visits the steps of little noise densely would otherwise count them
    many times over, and they are the ones in which estimates differ most.

    Parameters
    ----------
    timesteps
        Timesteps that are visited, descending.
    """
    total = timesteps[0] + 1
    return [(t - after) / total for t, after in pairwise([*timesteps, -1])]


def make_sampler(schedule: NoiseSchedule, config: SamplingConfig) -> Sampler:
    """Return the sampler that the parameters name."""
    if config.sampler == "ddpm":
        return DDPMSampler(schedule)
    if config.sampler == "ddim":
        return DDIMSampler(schedule, config.n_steps, config.eta, config.timestep_power)
    return DPMSolverSampler(schedule, config.n_steps, config.timestep_power)


class Ensemble:
    """Draw one target's latents from one or more denoisers.

    One single-condition denoiser gives the paper's single model, several give Coherent Denoising,
    one multi-condition denoiser gives its rival, whose sources may be a subset of those it knows.

    Parameters
    ----------
    denoisers
        Denoisers of the same target and noise schedule.
    config
        Sampling parameters.
    errors
        Error moments of the target's denoisers, for learned weights.

    Raises
    ------
    ValueError
        When there is no denoiser, targets or schedules differ, or learned weights are missing.
    """

    def __init__(
        self,
        denoisers: Sequence[LoadedDenoiser],
        config: SamplingConfig,
        errors: ErrorMoments | None = None,
    ) -> None:
        if not denoisers:
            raise ValueError("An ensemble needs at least one denoiser.")
        if len({(d.target, d.schedule) for d in denoisers}) > 1:
            raise ValueError(
                f"Denoisers {', '.join(d.name for d in denoisers)} differ in target or noise schedule. "
                f"Train them with the same diffusion_training parameters."
            )
        self.target = denoisers[0].target
        self.config = config
        self.sampler = make_sampler(denoisers[0].schedule, config)
        self.target_dim = denoisers[0].network.shape.target_dim
        self.device = next(denoisers[0].network.parameters()).device
        groups: dict[object, list[LoadedDenoiser]] = {}
        for denoiser in denoisers:
            groups.setdefault(denoiser.network.shape, []).append(denoiser)
        self._groups = [
            _Group(
                FoldedDenoiser(
                    stack_networks([d.network for d in group]),
                    denoisers[0].schedule,
                    self.sampler.timesteps,
                ),
                group[0].network.shape.condition_dims,
                [d.sources for d in group],
            )
            for group in groups.values()
        ]
        stacked = [d for group in groups.values() for d in group]
        self.weights = consensus_weights(
            stacked, self.sampler.timesteps, config.weights, errors
        ).to(self.device)

    def draw(self, conditions: Mapping[str, torch.Tensor], keys: torch.Tensor) -> Draws:
        """Draw latents for patients who all have the same sources.

        Parameters
        ----------
        conditions
            Source to its latents, shape (patients, source_dim), or (patients, n_draws, source_dim)
            where each draw has its own condition.
        keys
            Noise key of each patient, shape (patients,), from ``named_keys``.

        Raises
        ------
        ValueError
            When no source is given: unconditional generation is refused.
        """
        if not conditions:
            raise ValueError(
                f"No source is given for {self.target}: generation without a condition is refused."
            )
        n_patients, n_draws = keys.numel(), self.config.n_draws
        draw_keys = derive_keys(
            keys.to(self.device).unsqueeze(1), torch.arange(n_draws, device=self.device)
        ).flatten()
        rows = {
            source: (
                values.unsqueeze(1).expand(-1, n_draws, -1) if values.dim() == 2 else values
            ).reshape(n_patients * n_draws, -1)
            for source, values in conditions.items()
        }
        parts = [
            self._draw_until_coherent(
                {s: v[part].to(self.device) for s, v in rows.items()}, draw_keys[part]
            )
            for part in _chunks(len(draw_keys), self.config.chunk_rows)
        ]
        latents, coherence, share, attempts = (
            torch.cat(tensors).cpu().unflatten(0, (n_patients, n_draws))
            for tensors in zip(*parts, strict=True)
        )
        accepted = share <= self.config.coherence.max_incoherent_share
        return Draws(latents, coherence, share, attempts, accepted)

    def _draw_until_coherent(
        self, conditions: Mapping[str, torch.Tensor], keys: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Draw all rows, and the rejected ones again with new noise."""
        rule = self.config.coherence
        latents, coherence, share = self._denoise(conditions, derive_keys(keys, 0))
        attempts = torch.ones(len(keys), dtype=torch.int32, device=keys.device)
        for attempt in range(1, rule.max_attempts):
            rejected = (share > rule.max_incoherent_share).nonzero().squeeze(1)
            if len(rejected) == 0:
                break
            latents[rejected], coherence[rejected], share[rejected] = self._denoise(
                {source: values[rejected] for source, values in conditions.items()},
                derive_keys(keys[rejected], attempt),
            )
            attempts[rejected] += 1
        return latents, coherence, share, attempts

    @torch.no_grad()
    def _denoise(
        self, conditions: Mapping[str, torch.Tensor], keys: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Follow the consensus from noise to data; rows of `conditions` match `keys`."""
        projected = [
            group.network.condition(*_stack_conditions(conditions, group)) for group in self._groups
        ]
        noisy = normal_noise(derive_keys(keys, 0), self.target_dim)
        shares = timestep_shares(self.sampler.timesteps)
        coherence = torch.zeros(len(keys), device=keys.device)
        incoherent = torch.zeros(len(keys), device=keys.device)
        for i in range(len(self.sampler.timesteps)):
            estimates = torch.cat(
                [
                    group.network(noisy.expand(group.network.n_models, -1, -1), i, condition)
                    for group, condition in zip(self._groups, projected, strict=True)
                ]
            )
            distance = pairwise_cosine_distance(estimates, self.weights[i])
            coherence += shares[i] * distance
            incoherent += shares[i] * (distance > self.config.coherence.threshold)
            consensus = torch.einsum("m,mfr->fr", self.weights[i], estimates)
            noise = normal_noise(derive_keys(keys, i + 1), self.target_dim)
            noisy = self.sampler.step(i, noisy, consensus, noise)
        return noisy.T.contiguous(), coherence, incoherent


@dataclass(frozen=True)
class _Group:
    """Members of an ensemble that share their shape, stacked."""

    network: FoldedDenoiser
    condition_dims: tuple[int, ...]
    sources: list[tuple[str, ...]]


def _stack_conditions(
    conditions: Mapping[str, torch.Tensor], group: _Group
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Arrange conditions as (models, features, rows) and mask the sources that are not given."""
    n_rows = len(next(iter(conditions.values())))
    device = next(iter(conditions.values())).device
    stacked, masks = [], []
    for position, dim in enumerate(group.condition_dims):
        names = [model_sources[position] for model_sources in group.sources]
        absent = torch.zeros(dim, n_rows, device=device)
        stacked.append(torch.stack([conditions[n].T if n in conditions else absent for n in names]))
        masks.append(torch.tensor([n in conditions for n in names], device=device))
    mask = torch.stack(masks, dim=1).unsqueeze(2).expand(-1, -1, n_rows)
    return stacked, mask


def _chunks(n_rows: int, chunk_rows: int) -> Iterable[slice]:
    for start in range(0, n_rows, chunk_rows):
        yield slice(start, start + chunk_rows)
