"""Denoising error of single patients: what most attacks on diffusion models read.

A denoiser that remembers a patient removes the noise from the patient's latents better than from
those of others (Carlini et al., 2023, Extracting Training Data from Diffusion Models).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import SamplingConfig, Weighting
from tcga_coherent.diffusion.inference import FoldedDenoiser
from tcga_coherent.diffusion.linear_gaussian import LinearExperts, LinearGaussian
from tcga_coherent.diffusion.noise import derive_keys, named_keys, normal_noise
from tcga_coherent.diffusion.sampling.consensus import (
    ErrorMoments,
    consensus_weights,
    stack_conditions,
)
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.source_sets import join_sources

CHUNK_ROWS = 16_384

Losses = NDArray[np.floating]


@dataclass(frozen=True)
class Noising:
    """Noise that patients are held to, the same for all of them, so that losses can be compared.

    Attributes
    ----------
    timesteps
        Noise levels, as timesteps of the process.
    n_noises
        Noises at each level; the second half is the first negated, so that what a patient's latents
        and the noise happen to have in common cancels.
    seed
        Seed of the noise.
    """

    timesteps: tuple[int, ...]
    n_noises: int
    seed: int


def denoising_losses(
    denoisers: Sequence[LoadedDenoiser],
    target: torch.Tensor,
    conditions: Mapping[str, torch.Tensor],
    noising: Noising,
    masks: Mapping[str, torch.Tensor] | None = None,
) -> Losses:
    """Return the mean denoising error of each patient under each denoiser.

    Parameters
    ----------
    denoisers
        Denoisers of one target.
    target
        Latents to denoise, shape (patients, target_dim).
    conditions
        Source to condition, shape (patients, size).
    noising
        Noise levels and noises.
    masks
        Source to whether a patient has it, shape (patients,); None where all have all.

    Returns
    -------
    ndarray
        Denoisers x patients x levels: squared error of the velocity, mean over noises and
        dimensions. It is the squared error of the noise over alpha_bar.
    """
    estimates = _Estimates(denoisers, noising)
    return estimates.losses(target, conditions, masks, None)


def consensus_losses(
    denoisers: Sequence[LoadedDenoiser],
    errors: ErrorMoments | None,
    weighting: Weighting,
    target: torch.Tensor,
    conditions: Mapping[str, torch.Tensor],
    noising: Noising,
    linear: Sequence[LinearGaussian] = (),
) -> Losses:
    """Return the losses of single-condition denoisers, of linear experts, and of their consensus.

    Parameters
    ----------
    denoisers, target, conditions, noising
        As in :func:`denoising_losses`.
    linear
        Linear-Gaussian experts that take part in the consensus.
    errors, weighting
        Of the consensus, see :func:`tcga_coherent.diffusion.sampling.consensus.consensus_weights`.

    Returns
    -------
    ndarray
        (Denoisers + linear experts + 2) x patients x levels. The last but one is the consensus, the last the standard
        normal distribution, which knows no patient: what it tells of membership is a difference
        of the groups' latents, not of any denoiser.
    """
    weights = consensus_weights([*denoisers, *linear], noising.timesteps, weighting, errors)
    return _Estimates(denoisers, noising, linear).losses(target, conditions, None, weights)


def model_losses(
    models: TrainedModels,
    sampling: SamplingConfig,
    latents: Mapping[str, torch.Tensor],
    given: Mapping[str, torch.Tensor],
    noising: Noising,
    targets: Sequence[str] | None = None,
) -> dict[tuple[str, str, str], Losses]:
    """Return the losses of patients who have every modality under all models.

    Parameters
    ----------
    models
        Trained denoisers.
    sampling
        Parameters: weights and experts of the ensemble.
    latents
        Modality to latents of the patients, shape (patients, latent size).
    given
        Modality to the same with the codes beside them, as conditions hold them.
    noising
        Noise levels and noises.
    targets
        Modalities to denoise; None for all.

    Returns
    -------
    dict
        (method, target, sources joined by +) to patients x levels. The method ``standard_normal``
        is the control that has seen nobody.
    """
    found = {}
    for target in targets or latents:
        sources = tuple(name for name in latents if name != target)
        conditions = {source: given[source] for source in sources}
        joined = join_sources(sources)
        denoisers, linear = models.experts(target, sources, sampling)
        errors = models.errors.get(target)
        *alone, consensus, control = consensus_losses(
            denoisers, errors, sampling.weights, latents[target], conditions, noising, linear
        )
        for source, losses in zip(sources, alone, strict=False):
            found["single", target, source] = losses
        for expert, losses in zip(linear, alone[len(denoisers) :], strict=True):
            found["linear", target, join_sources(expert.sources)] = losses
        (found["multi", target, joined],) = denoising_losses(
            models.members(target, "multi", sources), latents[target], conditions, noising
        )
        found["coherent", target, joined] = consensus
        found["standard_normal", target, ""] = control
    return found


class _Estimates:
    """Noise estimates of some denoisers of one target at some timesteps."""

    def __init__(
        self,
        denoisers: Sequence[LoadedDenoiser],
        noising: Noising,
        linear: Sequence[LinearGaussian] = (),
    ) -> None:
        self._denoisers = denoisers
        self._noising = noising
        self._process = denoisers[0].process
        self._device = next(denoisers[0].network.parameters()).device
        self._networks = [
            FoldedDenoiser(d.network, d.process, list(noising.timesteps)) for d in denoisers
        ]
        self._linear = LinearExperts(linear, self._process, noising.timesteps, self._device)

    @torch.no_grad()
    def losses(
        self,
        target: torch.Tensor,
        conditions: Mapping[str, torch.Tensor],
        masks: Mapping[str, torch.Tensor] | None,
        weights: torch.Tensor | None,
    ) -> Losses:
        per_chunk = max(1, CHUNK_ROWS // self._noising.n_noises)
        parts = []
        for start in range(0, len(target), per_chunk):
            some = slice(start, start + per_chunk)
            parts.append(
                self._chunk(
                    target[some],
                    {source: values[some] for source, values in conditions.items()},
                    {source: given[some] for source, given in (masks or {}).items()},
                    weights,
                )
            )
        return torch.cat(parts, dim=1).cpu().numpy()

    def _chunk(
        self,
        target: torch.Tensor,
        conditions: Mapping[str, torch.Tensor],
        masks: Mapping[str, torch.Tensor],
        weights: torch.Tensor | None,
    ) -> torch.Tensor:
        n_noises, n_patients = self._noising.n_noises, len(target)
        clean = target.to(self._device).T.repeat_interleave(n_noises, dim=1)
        projected = []
        for network, denoiser in zip(self._networks, self._denoisers, strict=True):
            stacked, mask = stack_conditions([denoiser], conditions, n_patients, self._device)
            given = [
                masks.get(s, torch.ones(n_patients, dtype=torch.bool)) for s in denoiser.sources
            ]
            mask = mask & torch.stack(given).to(self._device)
            condition = network.condition(stacked, mask)
            projected.append(condition.repeat_interleave(n_noises, dim=2))
        means = self._linear.condition(conditions).repeat_interleave(n_noises, dim=2)
        keys = named_keys(
            self._noising.seed, "denoising losses", [str(i) for i in range(n_noises // 2)]
        ).to(self._device)
        levels = []
        for level, timestep in enumerate(self._noising.timesteps):
            noise = normal_noise(derive_keys(keys, timestep), len(clean))
            noise = torch.cat([noise, -noise], dim=1).repeat(1, n_patients)
            at = torch.full((1, clean.shape[1]), timestep, device=self._device)
            noisy = self._process.add_noise(clean, noise, at)
            estimates = [
                network(noisy.unsqueeze(0), level, condition)[0]
                for network, condition in zip(self._networks, projected, strict=True)
            ]
            estimates += self._linear.estimate(noisy, level, means)
            if weights is not None:
                expert = self._process.expected_noise(noisy, timestep)
                shares = weights[level].tolist()
                members = zip(shares, [*estimates, expert], strict=True)
                consensus = sum((share * e for share, e in members), torch.zeros_like(noisy))
                estimates += [consensus, expert]
            squares = (torch.stack(estimates) - noise).square().mean(dim=1) / self._process.level(
                timestep
            )[0] ** 2
            levels.append(squares.unflatten(1, (n_patients, n_noises)).mean(dim=2))
        return torch.stack(levels, dim=2)
