"""Draws of the test split from all sources, as every study of the ensemble makes them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.ensemble import Draws
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.pipelines.lanes import Built
from tcga_coherent.pipelines.partitions import conditions, latents, models


@dataclass(frozen=True)
class UnseenPatients:
    """Trained models, and latents of the patients whom none of them has seen.

    Attributes
    ----------
    models
        Trained denoisers and what their weights are learned from.
    latents
        Modality to frame, test patients x latent size.
    conditions
        The same with the code of each modality beside its latents.
    identity
        Fingerprints of models and conditions.
    """

    models: TrainedModels
    latents: dict[str, pd.DataFrame]
    conditions: dict[str, pd.DataFrame]
    identity: dict[str, Any]

    @property
    def patients(self) -> pd.Index:
        """Test patients, all of whom have all modalities."""
        return next(iter(self.latents.values())).index

    def sources(self, target: str) -> tuple[str, ...]:
        """Return all modalities but the target."""
        return tuple(name for name in self.latents if name != target)

    def truth(self, target: str) -> Array:
        """Return the measured latents, patients x latent size."""
        return self.latents[target].to_numpy(np.float32)

    def draw(self, target: str, method: str, config: SamplingConfig) -> Draws:
        """Draw a target from all other modalities."""
        values = latent_tensors(self.conditions, self.patients)
        sources = self.sources(target)
        return self.models.ensemble(target, method, sources, config).draw(
            {source: values[source] for source in sources},
            named_keys(config.seed, target, list(self.patients)),
        )


def unseen_patients() -> Built:
    """Return the :class:`UnseenPatients` of trained models."""
    return Built(take_unseen, (latents(), conditions(), "split", models()))


def take_unseen(
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: TrainedModels,
) -> UnseenPatients:
    """Take the latents and conditions of the test patients."""
    patients = split.index[split["split"] == "test"]
    test, given = (
        {name: frame.loc[patients] for name, frame in kind.items()} for kind in (frames, conditions)
    )
    prints = {name: fingerprint_frame(frame) for name, frame in given.items()}
    return UnseenPatients(models, test, given, {**models.identity, "test": prints})


def as_drawn(config: SamplingConfig, n_draws: int) -> SamplingConfig:
    """Return the settings of raw draws: a recalibration belongs to one setting alone."""
    return replace(config, n_draws=n_draws, recalibrate=False, temperature=1.0)


def draws_first(drawn: Draws) -> Array:
    """Return draws x patients x latent size."""
    return drawn.latents.transpose(0, 1).numpy()
