"""What each denoiser learns: its target, its sources and the patients that have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

SOURCE_SEPARATOR = "+"


@dataclass(frozen=True)
class Rows:
    """Patients of one task.

    Attributes
    ----------
    target
        Latents to generate, shape (patients, target_dim).
    conditions
        Latents of each source, shape (patients, source_dim); zeros where `mask` is False.
    mask
        True where a patient has the source, shape (patients, sources).
    """

    target: np.ndarray
    conditions: tuple[np.ndarray, ...]
    mask: np.ndarray


@dataclass(frozen=True)
class DenoiserTask:
    """One denoiser to train.

    Attributes
    ----------
    name
        ``<target>_from_<source>`` (single) or ``<target>`` (multi).
    target
        Modality that is generated.
    sources
        Modalities it is conditioned on.
    train, validation
        Patients of the two splits. Validation rows of a multi-condition task stand once for each
        source set that is validated: all sources, and each one alone.
    """

    name: str
    target: str
    sources: tuple[str, ...]
    train: Rows
    validation: Rows

    @property
    def takes_any_sources(self) -> bool:
        """Whether it is a multi-condition task: training masks sources, down to none at all."""
        return self.name == self.target


def single_tasks(
    latents: Mapping[str, pd.DataFrame], split: pd.Series, targets: Sequence[str] | None = None
) -> list[DenoiserTask]:
    """Return one task an ordered pair of modalities, on the patients that have both.

    Parameters
    ----------
    latents
        Modality to frame patients x latent size.
    split
        ``train``, ``val`` or ``test`` of each patient.
    targets
        Modalities to generate; None for all.

    Raises
    ------
    ValueError
        When a pair shares no training or no validation patient.
    """
    tasks = []
    for target in targets or latents:
        for source in latents:
            if source == target:
                continue
            shared = latents[target].index.intersection(latents[source].index)
            parts = {
                part: _rows(latents, target, (source,), _patients(shared, split, part))
                for part in ("train", "val")
            }
            tasks.append(_checked_task(f"{target}_from_{source}", target, (source,), parts))
    return tasks


def multi_tasks(
    latents: Mapping[str, pd.DataFrame], split: pd.Series, targets: Sequence[str] | None = None
) -> list[DenoiserTask]:
    """Return one task a target, on the patients that have it, whatever else they lack.

    Parameters and errors as in :func:`single_tasks`.
    """
    tasks = []
    for target in targets or latents:
        sources = tuple(name for name in latents if name != target)
        patients = latents[target].index
        train = _rows(latents, target, sources, _patients(patients, split, "train"))
        observed = _rows(latents, target, sources, _patients(patients, split, "val"))
        kept_sources = [np.ones(len(sources), dtype=bool), *np.eye(len(sources), dtype=bool)]
        validation = Rows(
            target=np.concatenate([observed.target] * len(kept_sources)),
            conditions=tuple(np.concatenate([c] * len(kept_sources)) for c in observed.conditions),
            mask=np.concatenate([observed.mask & kept for kept in kept_sources]),
        )
        parts = {"train": train, "val": validation}
        tasks.append(_checked_task(target, target, sources, parts))
    return tasks


def _checked_task(
    name: str, target: str, sources: tuple[str, ...], parts: dict[str, Rows]
) -> DenoiserTask:
    for part, rows in parts.items():
        if len(rows.target) < 2:
            raise ValueError(
                f"Denoiser {name}: {len(rows.target)} patients of the {part} split have {target} and "
                f"{' or '.join(sources)}, at least 2 are needed. Leave the modality out of the "
                f"modalities parameter, or enlarge the split."
            )
    return DenoiserTask(name, target, sources, parts["train"], parts["val"])


def _patients(patients: pd.Index, split: pd.Series, part: str) -> pd.Index:
    return patients[split.reindex(patients).eq(part).to_numpy()]


def _rows(
    latents: Mapping[str, pd.DataFrame], target: str, sources: tuple[str, ...], patients: pd.Index
) -> Rows:
    return Rows(
        target=latents[target].loc[patients].to_numpy(np.float32),
        conditions=tuple(
            latents[s].reindex(patients).fillna(0.0).to_numpy(np.float32) for s in sources
        ),
        mask=np.stack([patients.isin(latents[s].index) for s in sources], axis=1),
    )
