"""What each denoiser learns: its target, its sources and the patients that have them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.latents import code_frames
from tcga_coherent.diffusion.linear_gaussian import (
    FEWEST_PATIENTS,
    LinearGaussian,
    fit_linear_gaussian,
)

logger = logging.getLogger(__name__)

# Modality to patients x columns.
Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Rows:
    """Patients of one task.

    Attributes
    ----------
    target
        Latents to generate, shape (patients, target_dim).
    conditions
        Latents of each source, and the prediction of the target from it where there is one, shape
        (patients, condition_dim); zeros where `mask` is False.
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
    predictors
        Of each source, what the prediction of the target in its condition is made by.
    """

    name: str
    target: str
    sources: tuple[str, ...]
    train: Rows
    validation: Rows
    predictors: tuple[LinearGaussian | None, ...] = ()

    @property
    def takes_any_sources(self) -> bool:
        """Whether it is a multi-condition task: training masks sources, down to none at all."""
        return self.name == self.target


def told_beside_latents(config: TrainingConfig, conditions: Frames) -> Frames | None:
    """Return the conditions of :func:`single_tasks` and :func:`multi_tasks` that the parameters ask for."""
    return conditions if config.conditions == "latents_and_prediction" else None


def single_tasks(
    latents: Frames,
    split: pd.Series,
    targets: Sequence[str] | None = None,
    conditions: Frames | None = None,
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
    conditions
        Modality to latents followed by the code, patients x (latent size + code size). With them, each source
        also tells the prediction of the target that is linear in its code. That of a training patient is made
        without the patient: it is then as far from the truth as a new patient's.

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
            told = [_told(target, source, latents, conditions, split)]
            train, val = (
                _rows(latents, target, told, _patients(shared, split, part))
                for part in ("train", "val")
            )
            name = f"{target}_from_{source}"
            tasks.append(_checked_task(name, target, (source,), train, val, told))
    return tasks


def multi_tasks(
    latents: Frames,
    split: pd.Series,
    targets: Sequence[str] | None = None,
    conditions: Frames | None = None,
) -> list[DenoiserTask]:
    """Return one task a target, on the patients that have it, whatever else they lack.

    Parameters and errors as in :func:`single_tasks`.
    """
    tasks = []
    for target in targets or latents:
        sources = tuple(name for name in latents if name != target)
        patients = latents[target].index
        told = [_told(target, source, latents, conditions, split) for source in sources]
        train = _rows(latents, target, told, _patients(patients, split, "train"))
        observed = _rows(latents, target, told, _patients(patients, split, "val"))
        kept_sources = [np.ones(len(sources), dtype=bool), *np.eye(len(sources), dtype=bool)]
        validation = Rows(
            target=np.concatenate([observed.target] * len(kept_sources)),
            conditions=tuple(np.concatenate([c] * len(kept_sources)) for c in observed.conditions),
            mask=np.concatenate([observed.mask & kept for kept in kept_sources]),
        )
        tasks.append(_checked_task(target, target, sources, train, validation, told))
    return tasks


@dataclass(frozen=True)
class _Told:
    """What a source tells of a target: patients x columns, and what made the last of them."""

    frame: pd.DataFrame
    predictor: LinearGaussian | None


def _told(
    target: str, source: str, latents: Frames, conditions: Frames | None, split: pd.Series
) -> _Told:
    if conditions is None:
        return _Told(latents[source], None)
    code = code_frames(latents, {source: conditions[source]})[source]
    train = _patients(latents[target].index.intersection(code.index), split, "train")
    if len(train) < FEWEST_PATIENTS:
        logger.warning(
            "%s is generated from the latents of %s alone: %d training patients have both",
            target, source, len(train),
        )  # fmt: skip
        return _Told(latents[source], None)
    truth = latents[target].loc[train].to_numpy()
    expert, left_out = fit_linear_gaussian(target, truth, {source: code.loc[train].to_numpy()})
    predicted = pd.DataFrame(expert.mean({source: code.to_numpy()}), index=code.index)
    predicted.loc[train] = left_out.astype(np.float32)
    told = pd.concat([latents[source], predicted.loc[latents[source].index]], axis=1)
    return _Told(told, expert)


def _checked_task(
    name: str,
    target: str,
    sources: tuple[str, ...],
    train: Rows,
    validation: Rows,
    told: Sequence[_Told],
) -> DenoiserTask:
    for part, rows in (("train", train), ("val", validation)):
        if len(rows.target) < 2:
            raise ValueError(
                f"Denoiser {name}: {len(rows.target)} patients of the {part} split have {target} and "
                f"{' or '.join(sources)}, at least 2 are needed. Leave the modality out of the "
                f"modalities parameter, or enlarge the split."
            )
    predictors = tuple(one.predictor for one in told)
    return DenoiserTask(name, target, sources, train, validation, predictors)


def _patients(patients: pd.Index, split: pd.Series, part: str) -> pd.Index:
    return patients[split.reindex(patients).eq(part).to_numpy()]


def _rows(latents: Frames, target: str, told: Sequence[_Told], patients: pd.Index) -> Rows:
    return Rows(
        target=latents[target].loc[patients].to_numpy(np.float32),
        conditions=tuple(
            one.frame.reindex(patients).fillna(0.0).to_numpy(np.float32) for one in told
        ),
        mask=np.stack([patients.isin(one.frame.index) for one in told], axis=1),
    )
