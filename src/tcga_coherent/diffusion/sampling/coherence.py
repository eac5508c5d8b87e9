"""How far the noise estimates of an ensemble's members are apart."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch.nn import functional


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
            if weight == 0:
                continue
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
