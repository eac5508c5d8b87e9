"""Weights of the consensus noise, a set for every noise level.

The paper weights denoisers by the inverse of their validation MSE (eq. 7). Draws of calibrated
denoisers all have much the same MSE, about twice the variance that is left, so these weights are
nearly equal and a weak source dilutes a strong one. ``learned`` weights minimise the squared
noise error of the consensus on validation at each noise level, over the same simplex: as the error
of the consensus is ``w' G w``, all they need is the second moment ``G`` of the denoisers' errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.inference import FoldedDenoiser
from tcga_coherent.diffusion.noise import derive_keys, named_keys, normal_noise

N_NOISE_LEVELS = 25
NOISES_PER_PATIENT = 32


@dataclass(frozen=True)
class ErrorMoments:
    """Second moments of the noise errors of all single-condition denoisers of a target.

    Attributes
    ----------
    names
        Denoisers.
    timesteps
        Noise levels, ascending, shape (levels,).
    moments
        Mean over validation patients, noises and dimensions of the product of two denoisers'
        errors, shape (levels, denoisers, denoisers).
    """

    names: tuple[str, ...]
    timesteps: np.ndarray
    moments: np.ndarray

    def at(self, timestep: int, names: Sequence[str]) -> np.ndarray:
        """Return the moments of some denoisers, interpolated to a timestep."""
        chosen = [self.names.index(name) for name in names]
        above = int(np.clip(np.searchsorted(self.timesteps, timestep), 1, len(self.timesteps) - 1))
        low, high = self.timesteps[above - 1], self.timesteps[above]
        share = float(np.clip((timestep - low) / (high - low), 0.0, 1.0))
        moments = (1 - share) * self.moments[above - 1] + share * self.moments[above]
        return moments[np.ix_(chosen, chosen)]


@torch.no_grad()
def measure_errors(
    denoisers: Sequence[LoadedDenoiser],
    target: torch.Tensor,
    conditions: Mapping[str, torch.Tensor],
    seed: int,
) -> ErrorMoments:
    """Measure how the noise errors of a target's denoisers vary together on validation.

    Parameters
    ----------
    denoisers
        Single-condition denoisers of one target.
    target
        Latents of the validation patients, shape (patients, target_dim).
    conditions
        Source to latents of the same patients, shape (patients, source_dim).
    seed
        Seed of the noise.
    """
    schedule = denoisers[0].schedule
    device = next(denoisers[0].network.parameters()).device
    n_rows = len(target) * NOISES_PER_PATIENT
    keys = named_keys(seed, "consensus", [str(row) for row in range(n_rows)]).to(device)
    clean = target.to(device).repeat(NOISES_PER_PATIENT, 1).T
    mask = torch.ones(1, 1, n_rows, dtype=torch.bool, device=device)
    timesteps = np.unique(np.linspace(0, schedule.n_timesteps - 1, N_NOISE_LEVELS).round())
    folded = [
        FoldedDenoiser(d.network, schedule, timesteps.astype(int).tolist()) for d in denoisers
    ]
    projected = [
        network.condition(
            [conditions[d.sources[0]].to(device).repeat(NOISES_PER_PATIENT, 1).T.unsqueeze(0)], mask
        )
        for network, d in zip(folded, denoisers, strict=True)
    ]
    moments = []
    for level, timestep in enumerate(timesteps.astype(int)):
        noise = normal_noise(derive_keys(keys, level), clean.shape[0])
        at = torch.full((1, n_rows), int(timestep), device=device)
        noisy = schedule.add_noise(clean, noise, at).unsqueeze(0)
        errors = torch.stack(
            [
                (network(noisy, level, condition)[0] - noise).flatten()
                for network, condition in zip(folded, projected, strict=True)
            ]
        ).double()
        moments.append((errors @ errors.T / errors.shape[1]).cpu().numpy())
    return ErrorMoments(
        tuple(d.name for d in denoisers), timesteps.astype(np.int64), np.stack(moments)
    )


def least_error_weights(moments: np.ndarray) -> np.ndarray:
    """Return the weights on the simplex with the least ``w' G w``.

    Parameters
    ----------
    moments
        G, symmetric and positive semi-definite, shape (denoisers, denoisers).

    Returns
    -------
    numpy.ndarray
        Non-negative, summing to one, shape (denoisers,). Ensembles have few members, so every
        support is tried: on each the minimum is ``G^-1 1`` up to its sum.
    """
    n = len(moments)
    best, least = np.full(n, 1.0 / n), np.inf
    for size in range(1, n + 1):
        for support in combinations(range(n), size):
            block = moments[np.ix_(support, support)]
            solution = np.linalg.lstsq(block, np.ones(size), rcond=None)[0]
            if solution.min() < 0 or solution.sum() <= 0:
                continue
            weights = np.zeros(n)
            weights[list(support)] = solution / solution.sum()
            error = weights @ moments @ weights
            if error < least - 1e-15:
                best, least = weights, error
    return best


def consensus_weights(
    denoisers: Sequence[LoadedDenoiser],
    timesteps: Sequence[int],
    weighting: str,
    errors: ErrorMoments | None = None,
) -> torch.Tensor:
    """Return the consensus weights at each timestep, shape (timesteps, denoisers).

    Parameters
    ----------
    denoisers
        Members of the ensemble.
    timesteps
        Timesteps that the sampler visits.
    weighting
        ``equal``, ``inverse_mse`` (the paper's) or ``learned``.
    errors
        Needed for ``learned``.

    Raises
    ------
    ValueError
        When learned weights are asked for and there are no error moments of these denoisers.
    """
    n = len(denoisers)
    if weighting == "learned" and n > 1:
        names = [d.name for d in denoisers]
        if errors is None or not set(names) <= set(errors.names):
            raise ValueError(
                f"No consensus weights were learned for {', '.join(names)}. Run the "
                f"diffusion_training pipeline, or set coherent_sampling.weights to inverse_mse."
            )
        weights = np.stack([least_error_weights(errors.at(t, names)) for t in timesteps])
        return torch.from_numpy(weights).float()
    constant = (
        1.0 / torch.tensor([d.mse for d in denoisers])
        if weighting == "inverse_mse"
        else torch.ones(n)
    )
    return (constant / constant.sum()).expand(len(timesteps), n)
