"""Scores of draws against the truth, by which checkpoints are chosen."""

import torch


def energy_score(draws: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the energy score of each patient (Gneiting and Raftery, 2007, eq. 22), shape (..., patients).

    A proper score: its expectation is least for draws from the true conditional distribution. The
    unbiased estimator leaves out the zero distance of a draw to itself.

    Parameters
    ----------
    draws
        Shape (..., features, patients, draws), at least two draws.
    truth
        Shape (..., features, patients).
    """
    to_truth = (draws - truth.unsqueeze(-1)).norm(dim=-3).mean(dim=-1)
    n_draws = draws.shape[-1]
    between = torch.zeros_like(to_truth)
    for shift in range(1, n_draws):
        between += (draws - draws.roll(shift, dims=-1)).norm(dim=-3).mean(dim=-1)
    return to_truth - 0.5 * between / (n_draws - 1)


def draw_mse(draws: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of single draws (the paper's criterion), shape (..., patients)."""
    return (draws - truth.unsqueeze(-1)).square().mean(dim=(-3, -1))
