"""Linear-Gaussian experts: what the sources' features say of a target, in closed form.

A ridge regression gives the mean of the target's latents, its errors on patients left out their covariance.
Of a normal distribution the noise estimate is known exactly at every level: with ``x_t = alpha x_0 + sigma eps``
and ``x_0 ~ N(mu, S)``, ``E[eps | x_t] = sigma (alpha^2 S + sigma^2 I)^-1 (x_t - alpha mu)``. So it takes part in
the consensus as any denoiser does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from tcga_coherent.diffusion.process import Process
from tcga_coherent.source_sets import join_sources

# Of a total variance of one a source and patient.
PENALTIES = tuple(np.logspace(-5, 1, 25))
# Directions in which training patients do not differ, up to rounding.
LEAST_SHARE = 1e-10
FEWEST_PATIENTS = 10

Matrix = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class LinearGaussian:
    """Normal distribution of a target's latents, whose mean is linear in the sources' codes.

    Attributes
    ----------
    target, sources
        Modalities.
    coefficients
        Source to matrix, shape (code size, target_dim).
    intercept
        Shape (target_dim,).
    covariance
        Of the errors on patients left out, shape (target_dim, target_dim).
    n_train
        Training patients, who all have target and sources.
    """

    target: str
    sources: tuple[str, ...]
    coefficients: Mapping[str, Matrix]
    intercept: Matrix
    covariance: Matrix
    n_train: int

    @property
    def name(self) -> str:
        """Name among the members of a consensus."""
        return f"{self.target}_linear_in_{join_sources(self.sources)}"

    @property
    def mse(self) -> float:
        """Mean squared error of draws: that of the mean and as much of the draws about it."""
        return float(2.0 * np.mean(np.diag(self.covariance)))

    def mean(self, codes: Mapping[str, Matrix]) -> Matrix:
        """Return the expected latents, patients x target_dim.

        Parameters
        ----------
        codes
            Source to codes, patients x code size.
        """
        parts = [codes[source] @ self.coefficients[source] for source in self.sources]
        return self.intercept + np.sum(parts, axis=0)


def fit_linear_gaussian(
    target: str, latents: Matrix, codes: Mapping[str, Matrix]
) -> tuple[LinearGaussian, Matrix]:
    """Fit the expert of one set of sources on training patients who have them all.

    Sources are scaled to a total variance of one each, or left as they are, and every latent dimension has
    a penalty of its own; scale and penalties are those of the least leave-one-out error, which is exact
    (``e_i / (1 - h_ii)``; Hastie et al., Elements of Statistical Learning, eq. 7.64).

    Parameters
    ----------
    target
        Modality.
    latents
        Of the target, patients x target_dim.
    codes
        Source to codes of the same patients, patients x code size. More columns than patients, constant or
        collinear ones do no harm.

    Returns
    -------
    expert
        Fitted on all of them.
    left_out
        Latents of each patient as predicted without that patient, patients x target_dim.

    Raises
    ------
    ValueError
        When there are fewer than ten patients.
    """
    if len(latents) < FEWEST_PATIENTS:
        raise ValueError(
            f"{len(latents)} training patients have {target} and {' and '.join(codes)}: a linear expert takes "
            f"{FEWEST_PATIENTS} of them."
        )
    y_mean = latents.mean(axis=0, dtype=float)
    y = latents.astype(float) - y_mean
    centres = {source: code.mean(axis=0, dtype=float) for source, code in codes.items()}
    centred = {source: code.astype(float) - centres[source] for source, code in codes.items()}
    norms = {source: _norm(code) for source, code in centred.items()}
    common = _norm(np.hstack(list(centred.values()))) / np.sqrt(len(codes))
    scalings = [norms] if len(codes) == 1 else [norms, dict.fromkeys(codes, common)]
    best: _Ridge | None = None
    scale = norms
    for candidate in scalings:
        fitted = _Ridge(np.hstack([x / candidate[source] for source, x in centred.items()]), y)
        if best is None or fitted.left_out.mean() < best.left_out.mean():
            best, scale = fitted, candidate
    assert best is not None
    bounds = np.cumsum([code.shape[1] for code in codes.values()])[:-1]
    parts = zip(codes, np.split(best.coefficients, bounds), strict=True)
    coefficients = {source: part / scale[source] for source, part in parts}
    intercept = y_mean - np.sum([centres[s] @ c for s, c in coefficients.items()], axis=0)
    expert = LinearGaussian(
        target=target,
        sources=tuple(codes),
        coefficients={source: c.astype(np.float32) for source, c in coefficients.items()},
        intercept=intercept.astype(np.float32),
        covariance=best.residuals.T @ best.residuals / len(y),
        n_train=len(y),
    )
    return expert, y_mean + y - best.residuals


def fit_every_expert(
    target: str,
    latents: pd.DataFrame,
    codes: Mapping[str, pd.DataFrame],
    train: pd.Index,
    sets: Sequence[tuple[str, ...]],
) -> list[LinearGaussian]:
    """Fit the expert of each set of sources that ten training patients have with the target.

    Parameters
    ----------
    target, latents
        Modality and its latents, patients x target_dim.
    codes
        Modality to codes, patients x code size.
    train
        Training patients.
    sets
        Sets of sources.
    """
    experts = []
    for sources in sets:
        patients = train[train.isin(latents.index)]
        for source in sources:
            patients = patients[patients.isin(codes[source].index)]
        if len(patients) >= FEWEST_PATIENTS:
            given = {source: codes[source].loc[patients].to_numpy() for source in sources}
            expert, _ = fit_linear_gaussian(target, latents.loc[patients].to_numpy(), given)
            experts.append(expert)
    return experts


class _Ridge:
    """Ridge regression of centred data with the penalty of each target's least leave-one-out error.

    Attributes
    ----------
    coefficients
        Shape (inputs, targets).
    residuals
        Errors on patients left out, shape (patients, targets).
    left_out
        Their mean squares, shape (targets,).
    """

    def __init__(self, x: Matrix, y: Matrix) -> None:
        n_rows = len(x)
        # Of the smaller of both squares: their eigenvalues are the same.
        wide = x.shape[1] > n_rows
        values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
        kept = values > LEAST_SHARE * max(values[-1], np.finfo(float).tiny)
        values, vectors = values[kept], vectors[:, kept]
        left = vectors if wide else (x @ vectors) / np.sqrt(values)
        right = (x.T @ vectors) / np.sqrt(values) if wide else vectors
        projected = left.T @ y
        squares = np.square(left)
        best = np.full(y.shape[1], np.inf)
        self.residuals = y.copy()
        shrunk = np.zeros_like(projected)
        for penalty in n_rows * np.array(PENALTIES):
            share = values / (values + penalty)
            # The mean is fitted too.
            leverage = squares @ share + 1.0 / n_rows
            residuals = (y - left @ (share[:, None] * projected)) / (1.0 - leverage)[:, None]
            errors = np.square(residuals).mean(axis=0)
            better = errors < best
            best[better] = errors[better]
            self.residuals[:, better] = residuals[:, better]
            shrunk[:, better] = (share / np.sqrt(values))[:, None] * projected[:, better]
        self.coefficients = right @ shrunk
        self.left_out = best


def _norm(centred: Matrix) -> float:
    """Return the root of the total variance; 1 where there is none."""
    return float(np.sqrt(np.square(centred).sum() / len(centred))) or 1.0


class LinearExperts:
    """Linear-Gaussian experts of one target, arranged for the timesteps that a sampler visits.

    Parameters
    ----------
    experts
        Experts of the same target; there may be none.
    process
        Path from data to noise.
    timesteps
        Timesteps that will be asked for.
    device
        Where to compute.
    """

    def __init__(
        self,
        experts: Sequence[LinearGaussian],
        process: Process,
        timesteps: Sequence[int],
        device: torch.device,
    ) -> None:
        self._experts = experts
        self._device = device
        self._alphas: list[float] = []
        self._gains: list[torch.Tensor] = []
        if not experts:
            return
        values, vectors = np.linalg.eigh(np.stack([expert.covariance for expert in experts]))
        values = np.maximum(values, 0.0)
        for timestep in timesteps:
            alpha, sigma = process.level(timestep)
            gains = sigma / (alpha**2 * values + sigma**2)
            matrices = np.einsum("mij,mj,mkj->mik", vectors, gains, vectors)
            self._alphas.append(alpha)
            self._gains.append(torch.from_numpy(matrices).float().to(device))

    def condition(self, conditions: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return each expert's mean, shape (experts, target_dim, rows).

        Parameters
        ----------
        conditions
            Source to condition, whose last columns are the code, shape (rows, size).

        Raises
        ------
        ValueError
            When a condition holds no code.
        """
        means = []
        for expert in self._experts:
            mean = torch.from_numpy(expert.intercept).to(self._device).unsqueeze(1)
            for source in expert.sources:
                coefficients = torch.from_numpy(expert.coefficients[source]).to(self._device)
                given = conditions[source]
                if given.shape[1] < len(coefficients):
                    raise ValueError(
                        f"The condition of {source} holds no code for the linear-Gaussian expert {expert.name}: "
                        f"set coherent_sampling.linear_experts to false."
                    )
                code = given[:, -len(coefficients) :].to(self._device)
                mean = mean + (code @ coefficients).T
            means.append(mean)
        return torch.stack(means) if means else torch.empty(0, 0, 0)

    def estimate(self, noisy: torch.Tensor, visit: int, condition: torch.Tensor) -> torch.Tensor:
        """Return the noise estimate of every expert, shape (experts, target_dim, rows).

        Parameters
        ----------
        noisy
            ``x_t``, shape (target_dim, rows).
        visit
            Index of the timestep among those given at construction.
        condition
            Result of :meth:`condition`.
        """
        if not self._experts:
            return noisy.new_empty(0, *noisy.shape)
        return torch.bmm(self._gains[visit], noisy - self._alphas[visit] * condition)
