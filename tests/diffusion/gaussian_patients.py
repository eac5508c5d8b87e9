"""Patients whose latents and sources are linear and Gaussian, so that every answer is known.

Latents are ``x ~ N(0, I)`` and source i is ``c_i = A_i x + noise``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from tcga_coherent.diffusion.linear_beta import LinearBeta

SCHEDULE = LinearBeta()
ALPHA_BARS = SCHEDULE.alphas_cumprod.numpy()
LAMBDAS = 0.5 * np.log(ALPHA_BARS / (1 - ALPHA_BARS))
DIM = 2
IDENTITY = np.eye(DIM)


@dataclass(frozen=True)
class Expert:
    """What one source says of one patient: ``x | c ~ N(mean, covariance)``.

    ``view`` is A, ``noise`` the covariance of the source's noise, ``gain`` maps source to mean.
    """

    view: np.ndarray
    noise: np.ndarray
    source: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        return np.linalg.inv(IDENTITY + self.view.T @ np.linalg.solve(self.noise, self.view))

    @property
    def gain(self) -> np.ndarray:
        return self.covariance @ np.linalg.solve(self.noise, self.view).T

    @property
    def mean(self) -> np.ndarray:
        return self.gain @ self.source


# The expert that has seen nothing.
PRIOR = Expert(np.zeros((DIM, DIM)), IDENTITY, np.zeros(DIM))
ROUGH = Expert(np.array([[1.0, 0.5], [0.0, 1.0]]), np.diag([0.5, 2.0]), np.array([1.0, -2.0]))
SHARP = Expert(np.array([[1.0, -1.0]]), np.diag([0.1]), np.array([1.5]))


def equally_informed(noise: float, source: Sequence[float]) -> Expert:
    """Return an expert that knows all directions alike."""
    return Expert(IDENTITY, noise * IDENTITY, np.array(source))


def posterior(experts: Sequence[Expert]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of x given all sources, by Bayes' rule."""
    view = np.concatenate([e.view for e in experts])
    source = np.concatenate([e.source for e in experts])
    rows = np.cumsum([0, *(len(e.view) for e in experts)])
    noise = np.zeros((len(view), len(view)))
    for e, start, stop in zip(experts, rows[:-1], rows[1:], strict=True):
        noise[start:stop, start:stop] = e.noise
    total = view @ view.T + noise
    return view.T @ np.linalg.solve(total, source), IDENTITY - view.T @ np.linalg.solve(total, view)


def estimate(
    experts: Sequence[Expert], weights: np.ndarray, log_snr: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the consensus noise as matrix and offset: ``eps = matrix x_t / sigma_t + offset``.

    An expert's is ``sigma (alpha^2 S + sigma^2)^-1 (x_t - alpha m)``.
    """
    ratio = np.exp(log_snr)
    matrices = [np.linalg.inv(ratio**2 * e.covariance + IDENTITY) for e in experts]
    matrix = sum(w * k for w, k in zip(weights, matrices, strict=True))
    offset = sum(
        -w * ratio * k @ e.mean for w, k, e in zip(weights, matrices, experts, strict=True)
    )
    return matrix, offset


def reverse_process_law(
    experts: Sequence[Expert], weights_at: Callable[[float], np.ndarray], eta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance in continuous time, by the moments of the linear reverse process.

    In ``y = x / sigma`` it is ``dy = (y - (1 + eta^2) eps) dlambda + sqrt(2) eta dw``, from the
    score ``-eps / sigma`` of the family of Xue et al. (2023). `weights_at` maps lambda to weights.
    """

    def derivative(log_snr: float, state: np.ndarray) -> np.ndarray:
        mean, covariance = state[:DIM], state[DIM:].reshape(DIM, DIM)
        matrix, offset = estimate(experts, weights_at(log_snr), log_snr)
        drift = IDENTITY - (1 + eta**2) * matrix
        change = drift @ covariance + covariance @ drift.T + 2 * eta**2 * IDENTITY
        return np.concatenate([drift @ mean - (1 + eta**2) * offset, change.ravel()])

    first, last = LAMBDAS[-1], LAMBDAS[0]
    start = np.concatenate([np.zeros(DIM), IDENTITY.ravel() / (1 - ALPHA_BARS[-1])])
    end = solve_ivp(derivative, (first, last), start, method="DOP853", rtol=1e-7, atol=1e-9).y[
        :, -1
    ]
    # The last visit returns the clean estimate, (x - sigma eps) / alpha.
    matrix, offset = estimate(experts, weights_at(last), last)
    clean = np.exp(-last) * (IDENTITY - matrix)
    return (
        clean @ end[:DIM] - np.exp(-last) * offset,
        clean @ end[DIM:].reshape(DIM, DIM) @ clean.T,
    )


def error_moments(experts: Sequence[Expert], log_snr: float) -> np.ndarray:
    """Return the closed form of the second moments of the experts' noise errors over patients.

    An error is linear in three independent standard normals: x, the noise and the source's noise.
    """
    ratio = np.exp(log_snr)
    of_shared, of_source = [], []
    for expert in experts:
        matrix = np.linalg.inv(ratio**2 * expert.covariance + IDENTITY)
        of_x = ratio * matrix @ (IDENTITY - expert.gain @ expert.view)
        of_shared.append(np.concatenate([of_x, matrix - IDENTITY], axis=1))
        of_source.append(ratio * matrix @ expert.gain @ np.linalg.cholesky(expert.noise))
    moments = np.array([[np.sum(a * b) for a in of_shared] for b in of_shared])
    return (moments + np.diag([np.sum(s**2) for s in of_source])) / DIM
