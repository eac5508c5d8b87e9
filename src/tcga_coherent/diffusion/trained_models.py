"""All trained denoisers of a cohort, and the ensembles they form."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.linear_gaussian import LinearGaussian
from tcga_coherent.diffusion.sampling.consensus import ErrorMoments, masked
from tcga_coherent.diffusion.sampling.ensemble import Ensemble
from tcga_coherent.diffusion.sampling.recalibration import Recalibration

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedModels:
    """What generation needs of training.

    Attributes
    ----------
    single, multi
        Denoisers of each family by name: ``<target>_from_<source>`` and ``<target>``.
    errors
        Target to the error moments of its denoisers.
    recalibration
        Factors of the spread; None before they are fitted.
    linear
        Linear-Gaussian experts by name.
    identity
        Family, and ``consensus``, to the fingerprint of each of its checkpoints.
    """

    single: Mapping[str, LoadedDenoiser]
    multi: Mapping[str, LoadedDenoiser]
    errors: Mapping[str, ErrorMoments]
    recalibration: Recalibration | None = None
    linear: Mapping[str, LinearGaussian] = field(default_factory=dict)
    identity: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def ensemble(
        self, target: str, method: str, sources: tuple[str, ...], config: SamplingConfig
    ) -> Ensemble:
        """Return what a method uses to generate `target` from `sources`.

        Parameters
        ----------
        target, sources
            Modalities.
        method
            ``coherent`` (see :meth:`experts`), ``single`` (the denoiser of one source) or ``multi``.
        config
            Sampling parameters.

        Raises
        ------
        ValueError
            When a denoiser was not trained, or ``config.recalibrate`` is set and no factor was
            fitted.
        """
        spread = 1.0
        if config.recalibrate:
            if self.recalibration is None:
                raise ValueError(
                    "There is no recalibration yet. Run the coherent_sampling pipeline, or set "
                    "coherent_sampling.recalibrate to false."
                )
            spread = self.recalibration.spread(target, method, sources)
        denoisers, linear = (
            self.experts(target, sources, config)
            if method == "coherent"
            else (self.members(target, method, sources), [])
        )
        return Ensemble(
            denoisers, config, self.errors.get(target), self.multi.get(target), spread, linear
        )

    def experts(
        self, target: str, sources: tuple[str, ...], config: SamplingConfig
    ) -> tuple[list[LoadedDenoiser], list[LinearGaussian]]:
        """Return what the parameters want in the coherent ensemble.

        Returns
        -------
        denoisers
            One a source, and the multi-condition one where its errors were measured given these sources.
        linear
            See :meth:`linear_members`.

        Raises
        ------
        ValueError
            When a denoiser was not trained, or the multi-condition one was measured given no set of sources.
        """
        denoisers = self.members(target, "coherent", sources)
        if config.multi_expert:
            measured = self._measured(target)
            (multi,) = self.members(target, "multi", sources)
            if masked(multi, multi.sources).name not in measured:
                raise ValueError(
                    f"The multi-condition model of {target} was not measured as an expert. Run the "
                    f"diffusion_training pipeline again, or set coherent_sampling.multi_expert to false."
                )
            expert = masked(multi, sources)
            if expert.name in measured:
                denoisers.append(expert)
        return denoisers, self.linear_members(target, sources) if config.linear_experts else []

    def linear_members(self, target: str, sources: tuple[str, ...]) -> list[LinearGaussian]:
        """Return the linear-Gaussian experts of these sources, and of sets of them, whose errors were measured."""
        measured = self._measured(target)
        return [
            expert
            for name, expert in self.linear.items()
            if name in measured and expert.target == target and set(expert.sources) <= set(sources)
        ]

    def _measured(self, target: str) -> tuple[str, ...]:
        """Return the names of the experts of a target whose errors were measured."""
        errors = self.errors.get(target)
        return () if errors is None else errors.names

    def draw_validation(
        self,
        target: str,
        method: str,
        sources: tuple[str, ...],
        config: SamplingConfig,
        values: Mapping[str, torch.Tensor],
        halves: np.ndarray,
        keys: torch.Tensor,
    ) -> torch.Tensor:
        """Draw each half of the validation patients with the consensus weights of the other half.

        Parameters
        ----------
        target, method, sources, config
            As in :meth:`ensemble`.
        values
            Source to conditions of the validation patients, shape (patients, size).
        halves
            Result of :func:`tcga_coherent.diffusion.sampling.consensus.halves_of_validation` for them.
        keys
            Noise key of each, shape (patients,).

        Returns
        -------
        torch.Tensor
            Shape (patients, draws, target_dim), on the CPU.
        """
        parts, places = [], []
        for half in (0, 1):
            here = np.flatnonzero(halves == half)
            conditions = {source: values[source][here] for source in sources}
            ensemble = self.with_weights_of_half(1 - half).ensemble(target, method, sources, config)
            parts.append(ensemble.draw(conditions, keys[here]).latents)
            places.append(here)
        return torch.cat(parts)[np.argsort(np.concatenate(places))]

    def with_weights_of_half(self, half: int) -> "TrainedModels":
        """Return the same denoisers with consensus weights of one half of the validation patients.

        Raises
        ------
        ValueError
            When the halves were not measured.
        """
        errors = {target: found.of_half(half) for target, found in self.errors.items()}
        return replace(self, errors=errors)

    def check(self, config: SamplingConfig) -> None:
        """Refuse a recalibration of other settings or denoisers; warn of a sampler that is unsafe.

        Raises
        ------
        ValueError
            When they differ; the message names how.
        """
        unsafe = [
            name
            for name, denoiser in {**self.single, **self.multi}.items()
            if denoiser.network.shape.prediction == "noise"
        ]
        if unsafe and config.sampler != "ddpm" and config.eta < 1.0:
            logger.warning(
                "Deterministic draws of denoisers that predict noise, as %s and %d others do, are far "
                "too wide. Set coherent_sampling.eta to 1, or train with "
                "diffusion_training.prediction velocity.",
                unsafe[0],
                len(unsafe) - 1,
            )
        if config.recalibrate and self.recalibration is not None:
            self.recalibration.check(config, self.validation_mse)

    @property
    def validation_mse(self) -> dict[str, float]:
        """Denoiser to its validation MSE, which tells one training from another."""
        return {name: d.mse for name, d in {**self.single, **self.multi}.items()}

    def members(self, target: str, method: str, sources: tuple[str, ...]) -> list[LoadedDenoiser]:
        """Return the denoisers of :meth:`ensemble`; arguments and errors are the same."""
        family = self.multi if method == "multi" else self.single
        names = [target] if method == "multi" else [f"{target}_from_{s}" for s in sources]
        absent = [name for name in names if name not in family]
        if absent:
            raise ValueError(
                f"No trained denoiser {', '.join(absent)}. Run the diffusion_training pipeline with "
                f"all modalities of the modalities parameter."
            )
        return [family[name] for name in names]

    def completion_order(self, targets: list[str], method: str) -> list[str]:
        """Return targets from the most to the least reliable by validation MSE of their denoisers.

        Raises
        ------
        ValueError
            When a target has no denoiser.
        """
        family = self.multi if method == "multi" else self.single
        errors = {
            target: [d.mse for d in family.values() if d.target == target] for target in targets
        }
        untrained = [target for target, found in errors.items() if not found]
        if untrained:
            raise ValueError(
                f"No trained denoiser of {', '.join(untrained)}. Run the diffusion_training pipeline "
                f"with all modalities of the modalities parameter."
            )
        return sorted(targets, key=lambda target: float(np.mean(errors[target])))
