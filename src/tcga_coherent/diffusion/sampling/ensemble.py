"""Coherent Denoising: experts of one target that agree on one noise estimate a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser, stack_networks
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.device import memory_advice, resolve_precision
from tcga_coherent.diffusion.inference import FoldedDenoiser
from tcga_coherent.diffusion.linear_gaussian import LinearExperts, LinearGaussian
from tcga_coherent.diffusion.noise import derive_keys, normal_noise
from tcga_coherent.diffusion.process import Process
from tcga_coherent.diffusion.sampling.coherence import pairwise_cosine_distance, timestep_shares
from tcga_coherent.diffusion.sampling.consensus import (
    ErrorMoments,
    Member,
    consensus_weights,
    masked,
    stack_conditions,
)
from tcga_coherent.diffusion.sampling.samplers import (
    DDIMSampler,
    DDPMSampler,
    DPMSolverSampler,
    Sampler,
)


@dataclass(frozen=True)
class Draws:
    """Draws of one target for some patients.

    Attributes
    ----------
    latents
        Shape (patients, draws, target_dim). Of antithetic draws, k and k + draws / 2 are a pair.
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


def make_sampler(process: Process, config: SamplingConfig) -> Sampler:
    """Return the sampler that the parameters name."""
    if config.sampler == "ddpm":
        return DDPMSampler(process)
    if config.sampler == "ddim":
        return DDIMSampler(process, config.n_steps, config.eta, config.timestep_power)
    return DPMSolverSampler(process, config.n_steps, config.timestep_power, config.eta)


class Ensemble:
    """Draw one target's latents from one or more denoisers.

    One single-condition denoiser gives the paper's single model, several give Coherent Denoising,
    one multi-condition denoiser gives its rival, whose sources may be a subset of those it knows; it can be one
    of several, too.

    Parameters
    ----------
    denoisers
        Denoisers of the same target and process.
    config
        Sampling parameters.
    errors
        Error moments of the target's denoisers, for learned weights.
    expert
        Multi-condition denoiser of the target, for ``composed_trained`` weights.
    spread
        Factor by which a patient's draws are drawn apart, from recalibration.
    linear
        Linear-Gaussian experts of the target that take part.

    Raises
    ------
    ValueError
        When there is no denoiser, targets or processes differ, or what the weights need is missing.
    """

    def __init__(
        self,
        denoisers: Sequence[LoadedDenoiser],
        config: SamplingConfig,
        errors: ErrorMoments | None = None,
        expert: LoadedDenoiser | None = None,
        spread: float = 1.0,
        linear: Sequence[LinearGaussian] = (),
    ) -> None:
        if not denoisers:
            raise ValueError("An ensemble needs at least one denoiser.")
        if len({(d.target, d.process) for d in denoisers}) > 1:
            raise ValueError(
                f"Denoisers {', '.join(d.name for d in denoisers)} differ in target or process. "
                f"Train them with the same diffusion_training parameters."
            )
        self.target = denoisers[0].target
        self.config = config
        self._process = denoisers[0].process
        self.sampler = make_sampler(self._process, config)
        self.target_dim = denoisers[0].network.shape.target_dim
        self.device = next(denoisers[0].network.parameters()).device
        self._spread = spread * config.temperature
        groups: dict[object, list[LoadedDenoiser]] = {}
        for denoiser in denoisers:
            groups.setdefault(denoiser.network.shape, []).append(denoiser)
        self._groups = [_Group(self._fold(group), group) for group in groups.values()]
        members: list[Member] = [d for group in groups.values() for d in group]
        members += linear
        self._linear = LinearExperts(linear, self._process, self.sampler.timesteps, self.device)
        weights = consensus_weights(members, self.sampler.timesteps, config.weights, errors)
        self.weights = weights[:, :-1].to(self.device)
        self.expert_weights = weights[:, -1].to(self.device)
        self._expert: _Group | None = None
        if config.weights == "composed_trained" and len(members) > 1:
            if expert is None:
                raise ValueError(
                    f"composed_trained weights need the multi-condition denoiser of {self.target}."
                )
            blind = [masked(expert)]
            self._expert = _Group(self._fold(blind), blind)

    def draw(self, conditions: Mapping[str, torch.Tensor], keys: torch.Tensor) -> Draws:
        """Draw latents for patients who all have the same sources.

        Parameters
        ----------
        conditions
            Source to its condition (latents, and for linear-Gaussian experts the code after them), shape
            (patients, size), or (patients, n_draws, size) where each draw has its own. Without any, every
            source is masked, which only multi-condition denoisers have learned. Conditions are not judged: whether zeros
            are a patient near the mean of the training patients or a stand-in for no patient at
            all cannot be told from them.
        keys
            Noise key of each patient, shape (patients,), from ``named_keys``.

        Raises
        ------
        ValueError
            When no source is given and ``config.allow_unconditional`` is false.
        MemoryError
            When the device has no memory for a chunk.
        """
        if not conditions and not self.config.allow_unconditional:
            raise ValueError(
                f"No source is given for {self.target}: generation without a condition is refused, "
                f"as its draws show what a model kept of its training patients. Give a source, or set "
                f"coherent_sampling.allow_unconditional to true where that is what you study."
            )
        # All draws of a patient lie in one chunk: memory grows with the patients' results alone.
        per_chunk = max(1, self.config.chunk_rows // self.config.n_draws)
        parts = []
        for start in range(0, keys.numel(), per_chunk):
            part = slice(start, start + per_chunk)
            chunk = {source: values[part] for source, values in conditions.items()}
            with memory_advice("coherent_sampling.chunk_rows"):
                parts.append(self._draw_patients(chunk, keys[part]))
        latents, coherence, share, attempts = (
            torch.cat(tensors) for tensors in zip(*parts, strict=True)
        )
        accepted = share <= self.config.coherence.max_incoherent_share
        return Draws(latents, coherence, share, attempts, accepted)

    def _fold(self, denoisers: Sequence[LoadedDenoiser]) -> FoldedDenoiser:
        return FoldedDenoiser(
            stack_networks([d.network for d in denoisers]),
            self._process,
            self.sampler.timesteps,
            resolve_precision(self.config.precision, self.device),
        )

    def _draw_patients(
        self, conditions: Mapping[str, torch.Tensor], keys: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Draw all draws of a chunk of patients; results lie as (patients, draws, ...) on the CPU."""
        n_patients, n_draws = keys.numel(), self.config.n_draws
        rows = {
            source: (values.unsqueeze(1).expand(-1, n_draws, -1) if values.dim() == 2 else values)
            .reshape(n_patients * n_draws, -1)
            .to(self.device)
            for source, values in conditions.items()
        }
        draws = torch.arange(n_draws, device=self.device)
        signs = torch.ones(n_draws, device=self.device)
        if self.config.antithetic:
            draws = draws % (n_draws // 2)
            signs[n_draws // 2 :] = -1.0
        noise = _RowNoise(
            derive_keys(keys.to(self.device).unsqueeze(1), draws).flatten(),
            signs.repeat(n_patients),
            self.target_dim,
        )
        latents, coherence, share, attempts = (
            tensor.cpu().unflatten(0, (n_patients, n_draws))
            for tensor in self._draw_until_coherent(rows, noise)
        )
        if self._spread != 1.0:
            mean = latents.mean(dim=1, keepdim=True)
            latents = mean + self._spread * (latents - mean)
        return latents, coherence, share, attempts

    def _draw_until_coherent(
        self, conditions: Mapping[str, torch.Tensor], noise: "_RowNoise"
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Draw all rows, and the rejected ones again with new noise."""
        rule = self.config.coherence
        latents, coherence, share = self._denoise(conditions, noise.attempt(0))
        attempts = torch.ones(len(latents), dtype=torch.int32, device=latents.device)
        for attempt in range(1, rule.max_attempts):
            rejected = (share > rule.max_incoherent_share).nonzero().squeeze(1)
            if len(rejected) == 0:
                break
            latents[rejected], coherence[rejected], share[rejected] = self._denoise(
                {source: values[rejected] for source, values in conditions.items()},
                noise.rows(rejected).attempt(attempt),
            )
            attempts[rejected] += 1
        return latents, coherence, share, attempts

    @torch.no_grad()
    def _denoise(
        self, conditions: Mapping[str, torch.Tensor], noise: "_RowNoise"
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Follow the consensus from noise to data; rows of `conditions` match those of `noise`."""
        n_rows = len(noise.keys)
        projected = [group.condition(conditions, n_rows, self.device) for group in self._groups]
        means = self._linear.condition(conditions)
        blind = None if self._expert is None else self._expert.condition({}, n_rows, self.device)
        noisy = noise.step(0)
        shares = timestep_shares(self.sampler.timesteps)
        coherence = torch.zeros(n_rows, device=self.device)
        incoherent = torch.zeros(n_rows, device=self.device)
        for i in range(len(self.sampler.timesteps)):
            parts = [
                group.estimate(noisy, i, condition)
                for group, condition in zip(self._groups, projected, strict=True)
            ]
            estimates = torch.cat([*parts, self._linear.estimate(noisy, i, means)])
            distance = pairwise_cosine_distance(estimates, self.weights[i])
            coherence += shares[i] * distance
            incoherent += shares[i] * (distance > self.config.coherence.threshold)
            consensus = self._combine(i, estimates)
            if self._expert is None or blind is None:
                expert = self._process.expected_noise(noisy, self.sampler.timesteps[i])
            else:
                expert = self._expert.estimate(noisy, i, blind)[0]
            consensus += self.expert_weights[i] * expert
            noisy = self.sampler.step(i, noisy, consensus, noise.step(i + 1))
        return noisy.T.contiguous(), coherence, incoherent

    def _combine(self, visit: int, estimates: torch.Tensor) -> torch.Tensor:
        """Return the weighted sum of (members, target_dim, rows) over the members (eq. 7)."""
        return torch.einsum("m,mfr->fr", self.weights[visit], estimates)


@dataclass(frozen=True)
class _RowNoise:
    """Standard normal noise of each row: a function of its key, the step and the attempt."""

    keys: torch.Tensor
    signs: torch.Tensor
    n_features: int

    def rows(self, chosen: torch.Tensor) -> "_RowNoise":
        return _RowNoise(self.keys[chosen], self.signs[chosen], self.n_features)

    def attempt(self, number: int) -> "_RowNoise":
        return _RowNoise(derive_keys(self.keys, number), self.signs, self.n_features)

    def step(self, number: int) -> torch.Tensor:
        return self.signs * normal_noise(derive_keys(self.keys, number), self.n_features)


@dataclass(frozen=True)
class _Group:
    """Members of an ensemble that share their shape, stacked."""

    network: FoldedDenoiser
    denoisers: Sequence[LoadedDenoiser]

    def condition(
        self, conditions: Mapping[str, torch.Tensor], n_rows: int, device: torch.device
    ) -> torch.Tensor:
        """Return what the first layer adds for the conditions."""
        return self.network.condition(*stack_conditions(self.denoisers, conditions, n_rows, device))

    def estimate(self, noisy: torch.Tensor, visit: int, condition: torch.Tensor) -> torch.Tensor:
        """Return the noise estimate of every member, shape (members, target_dim, rows)."""
        return self.network(noisy.expand(self.network.n_models, -1, -1), visit, condition)
