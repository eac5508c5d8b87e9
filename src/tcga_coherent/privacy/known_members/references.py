"""Attacks on losses with the trainings on halves as reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.privacy.attacks.groups import MatchedGroups, match_groups
from tcga_coherent.privacy.attacks.membership import (
    ALL,
    ALL_LEVELS,
    CONTROL,
    HALVES,
    MATCHED,
    METHODS,
    NEITHER,
    ON_LOSSES,
    UNDERSTATED,
    likelihood_ratios,
    membership_row,
)
from tcga_coherent.privacy.attacks.scores import AttackResult, attack_result, crossed_attack_result
from tcga_coherent.privacy.known_members.shadows import LOSS, SELECTED

Model = tuple[str, str, str]


@dataclass(frozen=True)
class ShadowLosses:
    """Losses of patients under trainings on halves, all at one checkpoint.

    Attributes
    ----------
    known
        Training patients with all modalities.
    is_member
        Which of them each training learned from, trainings x patients.
    losses
        Model (method, target, sources) to the logarithm of the losses of these patients,
        trainings x patients x levels.
    unknown
        The same of test patients, whom none learned from.
    """

    known: pd.Index
    is_member: NDArray[np.bool_]
    losses: dict[Model, Array]
    unknown: dict[Model, Array]

    def of_method(self, method: str) -> dict[Model, "Features"]:
        """Return the features of each model of a method, and of all of them together."""
        models = [model for model in self.losses if model[0] == method]
        found = {
            model: Features(
                self.losses[model],
                self.losses[model] - self._control(self.losses, model),
                self.unknown[model],
                self.unknown[model] - self._control(self.unknown, model),
            )
            for model in models
        }
        parts = [vars(features).values() for features in found.values()]
        found[method, ALL, ""] = Features(
            *(np.concatenate(part, axis=2) for part in zip(*parts, strict=True))
        )
        return found

    def _control(self, losses: Mapping[Model, Array], model: Model) -> Array:
        return losses[CONTROL, model[1], ""]


@dataclass(frozen=True)
class Features:
    """Logarithms of losses, trainings x patients x features.

    Attributes
    ----------
    losses, calibrated
        Of training patients, as they are and over those of the standard normal distribution.
    unknown_losses, unknown_calibrated
        Of test patients.
    """

    losses: Array
    calibrated: Array
    unknown_losses: Array
    unknown_calibrated: Array


def read_shadow_losses(shadows: pd.DataFrame, cohort: Cohort, checkpoint: str) -> ShadowLosses:
    """Arrange the losses that the trainings recorded at a checkpoint.

    Parameters
    ----------
    shadows
        Results of :func:`tcga_coherent.privacy.known_members.shadows.run_shadow` with the column
        ``repeat``.
    cohort
        Latents and splits.
    checkpoint
        Steps, or ``selected``.
    """
    rows = shadows[(shadows["kind_of_row"] == LOSS) & (shadows["checkpoint"] == checkpoint)]
    levels = [name for name in rows if str(name).startswith("t") and str(name)[1:].isdigit()]
    trainings = sorted(rows["repeat"].unique())
    groups = cohort.complete(cohort.train), cohort.test
    places = [pd.MultiIndex.from_product([trainings, patients]) for patients in groups]
    losses: dict[Model, Array] = {}
    unknown: dict[Model, Array] = {}
    for key, some in rows.groupby(["method", "target", "source"], sort=False):
        by_patient = some.set_index(["repeat", "patient_id"])
        method, target, source = map(str, key)
        for found, place in zip((losses, unknown), places, strict=True):
            values = by_patient.loc[place, levels].to_numpy(float)
            found[method, target, source] = np.log(values.reshape(len(trainings), -1, len(levels)))
        is_member = by_patient.loc[places[0], "member"].to_numpy(bool)
    return ShadowLosses(groups[0], is_member.reshape(len(trainings), -1), losses, unknown)


def attack_with_references(
    shadows: pd.DataFrame, cohort: Cohort, bootstrap: BootstrapParameters, seed: int
) -> pd.DataFrame:
    """Attack the trainings on halves as the released models are selected.

    Parameters
    ----------
    shadows
        As in :func:`read_shadow_losses`.
    cohort
        Latents and splits.
    bootstrap, seed
        Intervals over patients.

    Returns
    -------
    DataFrame
        Rows of the table of attacks. Group ``halves``: members against training patients of the
        other half. Group ``neither trained on``: training patients of the other half against test
        patients, which no denoiser can tell apart by memory; rows with a ``note`` where too few of
        them can be matched.
    """
    found = read_shadow_losses(shadows, cohort, SELECTED)
    rows: list[dict[str, Any]] = []
    groups = None
    try:
        groups = match_groups(found.known, cohort.test, cohort.cancer_type, seed)
    except CannotEvaluate as reason:
        rows += [{"attack": name, "group": NEITHER, "note": str(reason)} for name in ON_LOSSES]
    for method in METHODS:
        for model, features in found.of_method(method).items():
            for attack, result in tell_members(features, found.is_member, bootstrap, seed).items():
                rows.append(membership_row(attack, model, ALL_LEVELS, HALVES, result))
            if groups is None:
                continue
            neither = _neither(features, found, cohort, groups, bootstrap, seed)
            for attack, result in neither.items():
                rows.append(membership_row(attack, model, ALL_LEVELS, NEITHER, result))
    return pd.DataFrame(rows)


def attack_released_with_references(
    shadows: pd.DataFrame,
    released: Mapping[Model, Array],
    cohort: Cohort,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Attack the released models with the trainings on halves as reference.

    How far a patient's loss lies below that under the trainings that did not learn from the patient,
    in standard deviations. A patient of the training split is unknown to one training of each pair;
    of test patients, who are unknown to both, the first is taken, so that all have as many
    references.

    Parameters
    ----------
    shadows
        As in :func:`read_shadow_losses`.
    released
        Result of :func:`tcga_coherent.privacy.attacks.losses.model_losses` for the released models:
        complete training patients and then test patients, with the noise of `shadows`.
    cohort, bootstrap, seed
        As in :func:`attack_with_references`.

    Returns
    -------
    DataFrame
        Rows of the table of attacks: complete patients matched by cancer type.

    Raises
    ------
    CannotEvaluate
        When too few patients can be matched.
    """
    found = read_shadow_losses(shadows, cohort, SELECTED)
    groups = match_groups(found.known, cohort.test, cohort.cancer_type, seed)
    patients = found.known.append(cohort.test)
    unseen = ~found.is_member[:, :, None]
    rows = []
    for method in METHODS:
        deviations = {}
        for model in [model for model in found.losses if model[0] == method]:
            known = (found.losses[model] * unseen).sum(axis=0) / unseen.sum(axis=0)
            references = np.concatenate([known, found.unknown[model][::2].mean(axis=0)])
            below = references - np.log(released[model])
            deviations[model] = (below / below.std(axis=0)).sum(axis=1)
        deviations[method, ALL, ""] = np.sum(list(deviations.values()), axis=0)
        for model, scores in deviations.items():
            by_patient = pd.Series(scores, index=patients)
            result = attack_result(
                by_patient[groups.members].to_numpy(),
                by_patient[groups.nonmembers].to_numpy(),
                bootstrap,
                seed,
            )
            rows.append(membership_row("lira_offline", model, ALL_LEVELS, MATCHED, result))
    return pd.DataFrame(rows)


def note_short_trainings(
    attacks: pd.DataFrame, steps: Sequence[int], training: TrainingConfig
) -> pd.DataFrame:
    """Say of attacks on or by trainings that are shorter than that of the released models.

    Parameters
    ----------
    attacks
        Rows of the table of attacks.
    steps
        Steps at which the trainings on halves are recorded.
    training
        Recipe of the released models.
    """
    longest = max(steps)
    if longest >= training.max_steps:
        return attacks
    notes = attacks["note"].fillna("") if "note" in attacks else pd.Series("", attacks.index)
    short = (
        f"{UNDERSTATED}: trainings on halves have {longest} steps where diffusion_training.max_steps is "
        f"{training.max_steps}"
    )
    return attacks.assign(note=notes.where(notes != "", short))


def tell_members(
    features: Features, is_member: NDArray[np.bool_], bootstrap: BootstrapParameters, seed: int
) -> dict[str, AttackResult]:
    """Attack the trainings on halves with each score of the losses.

    Parameters
    ----------
    features
        Of one model, or of several together.
    is_member
        Which patients each training learned from, trainings x patients.
    bootstrap, seed
        Intervals over patients.
    """
    scores = {
        "loss": -features.losses.mean(axis=2),
        "calibrated_loss": -features.calibrated.mean(axis=2),
        **likelihood_ratios(features.losses, is_member),
    }
    return {
        attack: crossed_attack_result(found, is_member, bootstrap, seed)
        for attack, found in scores.items()
    }


def _neither(
    features: Features,
    found: ShadowLosses,
    cohort: Cohort,
    groups: MatchedGroups,
    bootstrap: BootstrapParameters,
    seed: int,
) -> dict[str, AttackResult]:
    """Attack with models that learned from neither group; each patient's losses are averaged."""
    unseen = ~found.is_member
    place = found.known.get_indexer(groups.members)
    other = cohort.test.get_indexer(groups.nonmembers)
    results = {}
    for attack, known, unknown in (
        ("loss", features.losses, features.unknown_losses),
        ("calibrated_loss", features.calibrated, features.unknown_calibrated),
    ):
        scores = (known.mean(axis=2) * unseen).sum(axis=0) / unseen.sum(axis=0)
        others = unknown.mean(axis=(0, 2))
        results[attack] = attack_result(-scores[place], -others[other], bootstrap, seed)
    return results
