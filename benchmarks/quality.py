"""Quality of draws, as every benchmark reports it beside its times."""

from collections.abc import Mapping

import pandas as pd
import torch

from tcga_coherent.measures.calibration import (
    coverage_over_sets,
    crps,
    independent_sets,
    mean_over_sets,
)
from tcga_coherent.measures.fidelity import r2

MEASURES = ("r2_of_mean", "crps", "coverage_90")


def measure(truth: torch.Tensor, latents: torch.Tensor, antithetic: bool) -> dict[str, float]:
    """Score the draws of one target.

    Parameters
    ----------
    truth
        Measured latents, shape (patients, target_dim).
    latents
        Draws, shape (patients, draws, target_dim).
    antithetic
        Whether the draws are pairs; CRPS and coverage are then those of each half, averaged.

    Returns
    -------
    dict
        ``r2_of_mean``, ``crps``, ``coverage_90``.
    """
    measured = truth.cpu().numpy()
    draws = latents.cpu().numpy().transpose(1, 0, 2)
    halves = independent_sets(draws, antithetic)
    return {
        "r2_of_mean": r2(measured, draws.mean(axis=0)),
        "crps": mean_over_sets(crps, measured, halves),
        "coverage_90": coverage_over_sets(measured, halves, 0.9).observed,
    }


def last_line(ratio: float, plain: Mapping[str, float], fast: Mapping[str, float]) -> str:
    """Return the line that ends a benchmark: ``ratio=... r2_of_mean_plain=... ...``.

    Parameters
    ----------
    ratio
        Time of the plain version over that of the fast one.
    plain, fast
        The measures of each, averaged over the targets.
    """
    pairs = [f"ratio={ratio:.2f}"]
    for name in MEASURES:
        pairs += [f"{name}_plain={plain[name]:.4f}", f"{name}_fast={fast[name]:.4f}"]
    return " ".join(pairs)


def mean_over_targets(table: pd.DataFrame) -> dict[str, float]:
    """Average the measures: first over the seeds of each target, then over the targets.

    Parameters
    ----------
    table
        One row a target and seed, with the columns ``target`` and :data:`MEASURES`.
    """
    by_target = table.groupby("target")[list(MEASURES)].mean()
    return {name: float(by_target[name].mean()) for name in MEASURES}
