"""Coherent Denoising as one would first write it: the paper's 1000 steps, one repeat after another.

At every step every network runs whole: batch normalisation, time embedding and projection of the
condition included. The authors' text: eqs. 3, 4 and 7 and section "Coherent Denoising".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from plain_denoiser import PlainDenoiser
from tcga_coherent.diffusion.config import CoherenceConfig
from tcga_coherent.diffusion.linear_beta import LinearBeta


@dataclass(frozen=True)
class PlainEnsemble:
    """Denoisers of one target and how they are weighted.

    Attributes
    ----------
    denoisers
        Source to its denoiser, in evaluation mode.
    weights
        Consensus weights at each timestep from the noisiest on, shape (timesteps, denoisers).
    expert_weights
        Weight of the standard normal as unconditional expert, shape (timesteps,).
    process
        Path from data to noise of the denoisers.
    coherence
        Rule of rejection.
    """

    denoisers: Mapping[str, PlainDenoiser]
    weights: torch.Tensor
    expert_weights: torch.Tensor
    process: LinearBeta
    coherence: CoherenceConfig


@dataclass(frozen=True)
class PlainDraws:
    """Draws of one target.

    Attributes
    ----------
    latents
        Shape (patients, draws, target_dim).
    coherence
        Mean cosine distance of each draw, shape (patients, draws).
    accepted
        False where the last attempt was rejected too, shape (patients, draws).
    """

    latents: torch.Tensor
    coherence: torch.Tensor
    accepted: torch.Tensor


def draw_plain(
    ensemble: PlainEnsemble, conditions: Mapping[str, torch.Tensor], n_draws: int, seed: int
) -> PlainDraws:
    """Draw latents of patients who all have the same sources.

    Parameters
    ----------
    ensemble
        Denoisers, one a source.
    conditions
        Source to its latents, shape (patients, source_dim).
    n_draws
        Draws of each patient.
    seed
        Seed of the noise.
    """
    torch.manual_seed(seed)
    repeats = [_draw_once(ensemble, conditions) for _ in range(n_draws)]
    latents, coherence, accepted = (
        torch.stack(parts, dim=1) for parts in zip(*repeats, strict=True)
    )
    return PlainDraws(latents, coherence, accepted)


def _draw_once(
    ensemble: PlainEnsemble, conditions: Mapping[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw every patient once, and the rejected ones again."""
    rule = ensemble.coherence
    latents, coherence, incoherent = _denoise(ensemble, conditions)
    for _ in range(1, rule.max_attempts):
        rejected = (incoherent > rule.max_incoherent_share).nonzero().squeeze(1)
        if len(rejected) == 0:
            break
        latents[rejected], coherence[rejected], incoherent[rejected] = _denoise(
            ensemble, {source: values[rejected] for source, values in conditions.items()}
        )
    return latents, coherence, incoherent <= rule.max_incoherent_share


@torch.no_grad()
def _denoise(
    ensemble: PlainEnsemble, conditions: Mapping[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Go from noise to data; return samples, mean distance and share of incoherent steps."""
    process = ensemble.process
    betas, alphas_cumprod = process.betas.tolist(), process.alphas_cumprod.tolist()
    first = next(iter(conditions.values()))
    rows, device = len(first), first.device
    dim = next(iter(ensemble.denoisers.values())).shape.target_dim
    noisy = torch.randn(rows, dim, device=device)
    coherence = torch.zeros(rows, device=device)
    incoherent = torch.zeros(rows, device=device)
    for visit, t in enumerate(reversed(range(process.n_timesteps))):
        timesteps = torch.full((rows,), t, device=device)
        weights = ensemble.weights[visit].tolist()
        estimates = [
            _noise_estimate(denoiser, noisy, timesteps, conditions[source], alphas_cumprod[t])
            for source, denoiser in ensemble.denoisers.items()
        ]
        distance = _pairwise_cosine_distance(estimates, weights)
        coherence += distance / process.n_timesteps
        incoherent += (distance > ensemble.coherence.threshold) / process.n_timesteps
        # The noise that is expected where the clean latents are standard normal.
        consensus = ensemble.expert_weights[visit] * (1.0 - alphas_cumprod[t]) ** 0.5 * noisy
        for weight, estimate in zip(weights, estimates, strict=True):
            consensus += weight * estimate
        beta, alpha_bar = betas[t], alphas_cumprod[t]
        noisy = (noisy - beta / (1.0 - alpha_bar) ** 0.5 * consensus) / (1.0 - beta) ** 0.5
        if t > 0:
            noisy = noisy + beta**0.5 * torch.randn_like(noisy)
    return noisy, coherence, incoherent


def _noise_estimate(
    denoiser: PlainDenoiser,
    noisy: torch.Tensor,
    timesteps: torch.Tensor,
    condition: torch.Tensor,
    alpha_bar: float,
) -> torch.Tensor:
    output = denoiser(noisy, timesteps, condition)
    if denoiser.shape.prediction == "velocity":
        return alpha_bar**0.5 * output + (1.0 - alpha_bar) ** 0.5 * noisy
    return output


def _pairwise_cosine_distance(
    estimates: Sequence[torch.Tensor], weights: Sequence[float]
) -> torch.Tensor:
    """Return the weighted mean of the pairwise cosine distances, shape (rows,)."""
    total, norm = torch.zeros_like(estimates[0][:, 0]), 0.0
    for i in range(len(estimates)):
        for j in range(i + 1, len(estimates)):
            similarity = functional.cosine_similarity(estimates[i], estimates[j], dim=1)
            total += weights[i] * weights[j] * (1.0 - similarity)
            norm += weights[i] * weights[j]
    return total / norm if norm > 0 else total
