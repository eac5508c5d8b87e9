"""What becomes of new patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from tcga_coherent.completion.predictions import PREDICTIONS, join_rows, rank_patients

if TYPE_CHECKING:
    from mudata import MuData

Frames = Mapping[str, pd.DataFrame]
PARTS = ("decoded_mean", "decoded_sd", "latent_draws", "latent_mean", "latent_sd")


@dataclass(frozen=True, eq=False)
class Completion:
    """Patients with all modalities, and how they came by them.

    Attributes
    ----------
    mean, sd
        Modality to patients x features, in the units of the input: the mean over the draws and their standard
        deviation, what the latents lose included; or what was measured, with 0.
    draws
        Modality to latent draws, index (``patient_id``, ``draw``); a measured patient's latents are repeated.
    latent_mean, latent_sd
        Modality to patients x latent size.
    flags
        One row a patient and modality, for everybody who was given; see docs/completing_patients.md.
    predictions, priorities
        What the downstream models predict of each patient, and which missing modality to measure first; without rows
        where the models come without any. See the same page.
    provenance
        Version, seed, number of draws and the identity of the models.
    """

    mean: Frames
    sd: Frames
    draws: Frames
    latent_mean: Frames
    latent_sd: Frames
    flags: pd.DataFrame
    predictions: pd.DataFrame
    priorities: pd.DataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all of it as ``<part>/<modality>``, ``flags``, ``predictions`` and ``priorities``: the files of a folder."""
        parts = (self.mean, self.sd, self.draws, self.latent_mean, self.latent_sd)
        tables = {
            f"{part}/{name}": frame
            for part, frames in zip(PARTS, parts, strict=True)
            for name, frame in frames.items()
        }
        others = {name: getattr(self, name) for name in ("flags", "predictions", "priorities")}
        return {**tables, **others}

    def to_mudata(self) -> "MuData":
        """Return all of it as one object of the scverse; see :func:`tcga_coherent.datasets.mudata_file.to_mudata`."""
        from tcga_coherent.datasets.mudata_file import to_mudata

        return to_mudata(self.tables(), self.provenance)


def join_completions(parts: Sequence[Completion]) -> Completion:
    """Join the completions of blocks of patients; all were made by the same models."""

    def joined(field: str) -> dict[str, pd.DataFrame]:
        frames = [getattr(part, field) for part in parts]
        return {name: pd.concat([frame[name] for frame in frames]) for name in frames[0]}

    priorities = rank_patients([part.priorities for part in parts])
    if len(parts) == 1:
        return replace(parts[0], priorities=priorities)
    order = {name: number for number, name in enumerate(parts[0].mean)}
    flags = pd.concat([part.flags for part in parts], ignore_index=True)
    return Completion(
        joined("mean"),
        joined("sd"),
        joined("draws"),
        joined("latent_mean"),
        joined("latent_sd"),
        flags.sort_values(
            "modality", key=lambda names: names.map(order), kind="stable"
        ).reset_index(drop=True),
        join_rows([part.predictions for part in parts], PREDICTIONS),
        priorities,
        parts[0].provenance,
    )
