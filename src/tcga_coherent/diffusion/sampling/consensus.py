"""Weights of the consensus noise, a set for every noise level.

The paper weights denoisers by the inverse of their validation MSE (eq. 7). Draws of calibrated
denoisers all have much the same MSE, about twice the variance that is left, so these weights are
nearly equal and a weak source dilutes a strong one. ``learned`` weights minimise the squared
noise error of the consensus on validation at each noise level, over the same simplex: as the error
of the consensus is ``w' G w``, all they need is the second moment ``G`` of the denoisers' errors.

A weighted mean cannot be surer than the surest of its members, yet sources that each tell
something of their own together tell more. ``composed`` weights therefore have one more member: an
unconditional expert, whose weight is free. Where it is negative, what all denoisers know without
their sources is taken out and the sum of theirs exceeds one, as in the composition of scores
``sum_i s(x|c_i) - (n - 1) s(x)`` (Liu et al., 2022, Compositional Visual Generation). Latents are
standardised, so the expert is the standard normal distribution, whose noise estimate is
``sqrt(1 - alpha_bar_t) x_t``: it holds nothing of any patient. ``composed_trained`` takes the
multi-condition model without conditions in its place, a trained generator of whole profiles.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from scipy.linalg import solve_triangular
from scipy.optimize import nnls

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import Weighting
from tcga_coherent.diffusion.inference import FoldedDenoiser
from tcga_coherent.diffusion.linear_gaussian import LinearExperts, LinearGaussian
from tcga_coherent.diffusion.noise import derive_keys, named_keys, normal_noise
from tcga_coherent.diffusion.sampling.samplers import spaced_timesteps
from tcga_coherent.source_sets import join_sources

# Levels that are measured whatever a sampler visits: what lies between two is interpolated.
N_EVEN_LEVELS = 25
# A sampler that visits more timesteps than this has only as many of them measured.
MOST_VISITS = 50
# Spaces them like the timesteps of the few-step samplers: many where there is little noise.
VISIT_POWER = 2.5
NOISES_PER_PATIENT = 32
NEGLIGIBLE = 1e-6
STANDARD_NORMAL = "standard_normal"
NO_SOURCE = ""


@dataclass(frozen=True)
class ErrorMoments:
    """Second moments of the noise errors of a target's denoisers and unconditional experts.

    Attributes
    ----------
    names
        Denoisers, linear-Gaussian experts, and unconditional ones: ``standard_normal`` and the target's
        multi-condition model.
    timesteps
        Noise levels, ascending, shape (levels,).
    moments
        Mean over noises, dimensions and the validation patients who have the sources of both of the product
        of two members' errors, shape (levels, members, members).
    halves
        The same for each half of the validation patients, see :func:`halves_of_validation`, shape
        (2, levels, members, members). None where only the whole is known, as of former models.
    counts
        Validation patients behind each entry of the moments, shape (members, members); None as above.
    """

    names: tuple[str, ...]
    timesteps: np.ndarray
    moments: np.ndarray
    halves: np.ndarray | None = None
    counts: np.ndarray | None = None

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All that is known but the names."""
        known = {"timesteps": self.timesteps, "moments": self.moments}
        return known if self.halves is None else known | {"halves": self.halves}

    def of_half(self, half: int) -> "ErrorMoments":
        """Return the moments of one half of the validation patients.

        Raises
        ------
        ValueError
            When the halves were not measured.
        """
        if self.halves is None:
            raise ValueError(
                f"The consensus of {', '.join(self.names)} does not hold the halves of validation "
                f"that recalibration needs. Run the diffusion_training pipeline again, or set "
                f"coherent_sampling.recalibrate to false."
            )
        return replace(self, moments=self.halves[half], halves=None)

    def at(self, timestep: int, names: Sequence[str]) -> np.ndarray:
        """Return the moments of some members, interpolated to a timestep."""
        chosen = [self.names.index(name) for name in names]
        above = int(np.clip(np.searchsorted(self.timesteps, timestep), 1, len(self.timesteps) - 1))
        low, high = self.timesteps[above - 1], self.timesteps[above]
        share = float(np.clip((timestep - low) / (high - low), 0.0, 1.0))
        moments = (1 - share) * self.moments[above - 1] + share * self.moments[above]
        return moments[np.ix_(chosen, chosen)]


def halves_of_validation(patients: Sequence[str]) -> np.ndarray:
    """Return the half, 0 or 1, of each validation patient.

    What is fitted with the consensus weights, as the spread of the draws is, must not see them at
    patients whom the weights were learned from.

    Parameters
    ----------
    patients
        Ids. Who else is there matters, their order does not.

    Returns
    -------
    numpy.ndarray
        Shape (patients,). The halves differ by one patient at most.
    """
    names = np.array([str(patient) for patient in patients])
    order = np.argsort([hashlib.sha256(name.encode()).hexdigest() for name in names])
    halves = np.empty(len(names), dtype=int)
    halves[order] = np.arange(len(names)) % 2
    return halves


def measured_levels(n_timesteps: int, visited: Sequence[int]) -> np.ndarray:
    """Return the timesteps at which errors are measured, ascending.

    Parameters
    ----------
    n_timesteps
        Number of timesteps of the process.
    visited
        Timesteps that the sampler visits. All of them where they are few, and evenly spaced ones
        besides, for samplers of other steps.
    """
    even = np.linspace(0, n_timesteps - 1, N_EVEN_LEVELS).round().astype(int)
    if len(visited) > MOST_VISITS:
        visited = spaced_timesteps(n_timesteps, MOST_VISITS, VISIT_POWER)
    return np.union1d(even, np.asarray(visited, dtype=int))


def masked(multi: LoadedDenoiser, sources: Sequence[str] = ()) -> LoadedDenoiser:
    """Return a multi-condition denoiser that finds some of its sources, or none: the others are masked.

    Given sources it is an expert of an ensemble, ``<target>_multi_from_<sources>``.
    """
    name = f"{multi.name}_multi_from_{join_sources(sources)}" if sources else multi.name
    found = tuple(source if source in sources else NO_SOURCE for source in multi.sources)
    return replace(multi, name=name, sources=found)


@torch.no_grad()
def measure_errors(
    denoisers: Sequence[LoadedDenoiser],
    linear: Sequence[LinearGaussian],
    multi: LoadedDenoiser,
    target: torch.Tensor,
    conditions: Mapping[str, torch.Tensor],
    halves: np.ndarray,
    visited: Sequence[int],
    seed: int,
) -> ErrorMoments:
    """Measure how the noise errors of a target's denoisers vary together on validation.

    Parameters
    ----------
    denoisers
        Single-condition denoisers of one target, and multi-condition ones that are given some of their sources.
    linear
        Its linear-Gaussian experts.
    multi
        Its multi-condition denoiser, measured without conditions.
    target
        Latents of the validation patients, shape (patients, target_dim).
    conditions
        Source to the conditions of the same patients, see :func:`stack_conditions`, shape (patients, size);
        NaN where one lacks it.
    halves
        Half of each patient, 0 or 1, shape (patients,).
    visited
        Timesteps that the sampler visits; see :func:`measured_levels`.
    seed
        Seed of the noise.
    """
    process = denoisers[0].process
    device = next(denoisers[0].network.parameters()).device
    n_rows = len(target) * NOISES_PER_PATIENT
    keys = named_keys(seed, "consensus", [str(row) for row in range(n_rows)]).to(device)
    clean = target.to(device).repeat(NOISES_PER_PATIENT, 1).T
    timesteps = measured_levels(process.n_timesteps, visited)
    in_half = [
        torch.from_numpy(np.tile(halves == half, NOISES_PER_PATIENT)).to(device) for half in (0, 1)
    ]
    members = [*denoisers, masked(multi)]
    folded = [FoldedDenoiser(d.network, process, timesteps.tolist()) for d in members]
    repeated = {
        source: values.nan_to_num().to(device).repeat(NOISES_PER_PATIENT, 1)
        for source, values in conditions.items()
    }
    known = {source: ~values.isnan().any(dim=1).numpy() for source, values in conditions.items()}
    # Unconditional experts know of no source, and count for every patient.
    everybody = np.ones((2, len(target)), dtype=bool)
    sources = [*(d.sources for d in denoisers), *(expert.sources for expert in linear)]
    measured = np.stack([np.all([known[s] for s in own if s], axis=0) for own in sources])
    measured = np.concatenate([measured, everybody])
    valid = torch.from_numpy(np.tile(measured, NOISES_PER_PATIENT)).to(device).unsqueeze(1)
    counts = np.stack(
        [measured[:, halves == half].astype(int) @ measured[:, halves == half].T for half in (0, 1)]
    )
    projected = [
        network.condition(*stack_conditions([d], repeated, n_rows, device))
        for network, d in zip(folded, members, strict=True)
    ]
    experts = LinearExperts(linear, process, timesteps.tolist(), device)
    means = experts.condition({s: values.nan_to_num() for s, values in conditions.items()})
    means = means.repeat(1, 1, NOISES_PER_PATIENT)
    of_halves = []
    for level, timestep in enumerate(timesteps):
        noise = normal_noise(derive_keys(keys, int(timestep)), clean.shape[0])
        at = torch.full((1, n_rows), int(timestep), device=device)
        noisy = process.add_noise(clean, noise, at).unsqueeze(0)
        estimates = [
            network(noisy, level, condition)[0]
            for network, condition in zip(folded, projected, strict=True)
        ]
        estimates[-1:-1] = experts.estimate(noisy[0], level, means)
        estimates.append(process.expected_noise(noisy[0], int(timestep)))
        errors = torch.stack([estimate - noise for estimate in estimates]).double() * valid
        of_halves.append(
            [_moments(errors[:, :, rows], of) for rows, of in zip(in_half, counts, strict=True)]
        )
    experts_known = (*(d.name for d in denoisers), *(expert.name for expert in linear))
    names = (*experts_known, multi.name, STANDARD_NORMAL)
    by_half, moments = complete_moments(np.moveaxis(np.array(of_halves), 1, 0), counts)
    return ErrorMoments(names, timesteps.astype(np.int64), moments, by_half, counts.sum(axis=0))


def _moments(errors: torch.Tensor, counts: np.ndarray) -> np.ndarray:
    """Return the mean products of (members, target_dim, rows), shape (members, members); zero of no patient."""
    flat = errors.flatten(1)
    values = NOISES_PER_PATIENT * errors.shape[1] * np.maximum(counts, 1)
    return (flat @ flat.T).cpu().numpy() / values


def complete_moments(moments: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join the moments of the halves, and fill in what no patient tells.

    Where no patient has the sources of both members, their errors are taken to have in common what
    either has with the last member, the standard normal, alone: ``G_ij = G_i0 G_j0 / G_00``. What is
    known of no patient of one half is taken from the whole. Moments of different patients need not be those of
    any distribution: negative eigenvalues are then set to zero.

    Parameters
    ----------
    moments
        Of each half, shape (2, levels, members, members).
    counts
        Patients behind each, shape (2, members, members). Every member has some in one half.

    Returns
    -------
    halves, whole
        Shapes (2, levels, members, members) and (levels, members, members).
    """
    both = counts.sum(axis=0)
    if (counts == counts[:, -1:, -1:]).all():
        return moments, np.average(moments, axis=0, weights=counts[:, -1, -1])
    whole = (moments * counts[:, None]).sum(axis=0) / np.maximum(both, 1)
    linked = whole[:, :, -1:] * whole[:, -1:, :] / whole[:, -1:, -1:]
    whole = np.where(both > 0, whole, linked)
    halves = np.where(counts[:, None] > 0, moments, whole)
    return _without_negative_eigenvalues(halves), _without_negative_eigenvalues(whole)


def _without_negative_eigenvalues(moments: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(moments)
    return np.einsum("...ij,...j,...kj->...ik", vectors, np.maximum(values, 0.0), vectors)


def stack_conditions(
    denoisers: Sequence[LoadedDenoiser],
    conditions: Mapping[str, torch.Tensor],
    n_rows: int,
    device: torch.device,
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Arrange conditions for a stack of denoisers of one shape; sources not given are masked.

    The condition of a source is its latents followed by its code, of which a denoiser takes as many leading
    columns as it was trained with. A linear-Gaussian expert takes the code.

    Parameters
    ----------
    denoisers
        Members of the stack.
    conditions
        Source to condition, shape (n_rows, size).
    n_rows, device
        Rows and device of the result.

    Returns
    -------
    conditions
        One tensor a position of the sources, shape (denoisers, source_dim, n_rows).
    mask
        Shape (denoisers, positions, n_rows).
    """
    stacked, masks = [], []
    for position, dim in enumerate(denoisers[0].network.shape.condition_dims):
        names = [denoiser.sources[position] for denoiser in denoisers]
        absent = torch.zeros(dim, n_rows, device=device)
        stacked.append(
            torch.stack([conditions[n][:, :dim].T if n in conditions else absent for n in names])
        )
        masks.append(torch.tensor([n in conditions for n in names], device=device))
    return stacked, torch.stack(masks, dim=1).unsqueeze(2).expand(-1, -1, n_rows)


def least_error_weights(moments: np.ndarray, n_free: int = 0) -> np.ndarray:
    """Return the weights that sum to one with the least ``w' G w``.

    Parameters
    ----------
    moments
        G, symmetric and positive semi-definite, shape (members, members).
    n_free
        Members at the end whose weights may be negative; those of the others may not.

    Returns
    -------
    numpy.ndarray
        Shape (members,).

    Notes
    -----
    Up to their sum these are the minimum of ``w' G w / 2 - 1' w``, which with ``G = L L'`` is the
    non-negative least squares ``|L' w - L^-1 1|^2``. A free member is the difference of two that are not.
    """
    n = len(moments)
    # A combination without any error has no inverse; the limit of a vanishing one has.
    root = np.linalg.cholesky(moments + 1e-10 * np.trace(moments) * np.eye(n))
    columns = np.hstack([root.T, -root.T[:, n - n_free :]])
    solution, _ = nnls(columns, solve_triangular(root, np.ones(n), lower=True))
    weights = solution[:n]
    weights[n - n_free :] -= solution[n:]
    # What changes no estimate would still count as one that disagrees.
    weights[np.abs(weights) < NEGLIGIBLE * weights.max()] = 0.0
    return weights / weights.sum()


class Member(Protocol):
    """What weights are learned for: a denoiser, or a linear-Gaussian expert."""

    @property
    def name(self) -> str:
        """Name in the error moments."""
        ...

    @property
    def target(self) -> str:
        """Modality that is generated."""
        ...

    @property
    def mse(self) -> float:
        """Mean squared error of its draws."""
        ...


def consensus_weights(
    members: Sequence[Member],
    timesteps: Sequence[int],
    weighting: Weighting,
    errors: ErrorMoments | None = None,
) -> torch.Tensor:
    """Return the consensus weights at each timestep.

    Parameters
    ----------
    members
        Of the ensemble, of one target.
    timesteps
        Timesteps that the sampler visits.
    weighting
        ``equal``, ``inverse_mse`` (the paper's), ``learned``, ``composed`` or
        ``composed_trained``; see the head of this module.
    errors
        Needed for the last three.

    Returns
    -------
    torch.Tensor
        Shape (timesteps, members + 1); the last column is the weight of the unconditional
        expert, zero where there is none. A single member has all the weight.

    Raises
    ------
    ValueError
        When weights are to be learned and there are no error moments of these members.
    """
    n = len(members)
    if weighting == "inverse_mse":
        useless = [d.name for d in members if not (np.isfinite(d.mse) and d.mse > 0)]
        if useless:
            raise ValueError(
                f"The validation MSE of {', '.join(useless)} is not a positive number, so that it "
                f"has no weight. Train it again by the diffusion_training pipeline."
            )
    if weighting in ("equal", "inverse_mse") or n == 1:
        constant = (
            1.0 / torch.tensor([d.mse for d in members])
            if weighting == "inverse_mse"
            else torch.ones(n)
        )
        weights = torch.cat([constant / constant.sum(), torch.zeros(1)])
        return weights.expand(len(timesteps), n + 1)
    names = [d.name for d in members]
    expert = STANDARD_NORMAL if weighting == "composed" else members[0].target
    needed = {*names} if weighting == "learned" else {*names, expert}
    if errors is None or not needed <= set(errors.names):
        raise ValueError(
            f"No consensus weights were learned for {', '.join(names)}. Run the diffusion_training "
            f"pipeline, or set coherent_sampling.weights to inverse_mse."
        )
    if weighting == "learned":
        learned = [least_error_weights(errors.at(t, names)) for t in timesteps]
        return torch.from_numpy(np.pad(np.stack(learned), ((0, 0), (0, 1)))).float()
    composed = [least_error_weights(errors.at(t, [*names, expert]), n_free=1) for t in timesteps]
    return torch.from_numpy(np.stack(composed)).float()
