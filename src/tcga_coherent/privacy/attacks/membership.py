"""Whether a patient was trained on, judged by how well denoisers remove noise from the patient.

Three attackers: one takes a low loss for membership; one holds the loss against that of the standard
normal distribution, which is what the patient's latents alone make of it; one holds it against what
reference models, some trained on the patient and some not, make of it (Carlini et al., 2022,
Membership Inference Attacks From First Principles).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.attacks.groups import MatchedGroups
from tcga_coherent.privacy.attacks.losses import Losses, Noising, denoising_losses, model_losses
from tcga_coherent.privacy.attacks.scores import AttackResult, Scores, attack_result, attack_row
from tcga_coherent.source_sets import join_sources

METHODS = ("single", "multi", "coherent")
CONTROL = "standard_normal"
ALL = "all"
ALL_LEVELS = "all noise levels"
ON_LOSSES = ("loss", "calibrated_loss")
# How notes begin on attacks that find less than there is.
UNDERSTATED = "Memory is understated"
MATCHED, UNMATCHED, HALVES, NEITHER = "matched", "unmatched", "halves", "neither trained on"


def membership_row(
    attack: str,
    model: tuple[str, str, str],
    setting: str,
    group: str,
    result: AttackResult,
    note: str = "",
) -> dict[str, Any]:
    """Return a row of the table of attacks for an attack on membership."""
    return attack_row(
        attack,
        model,
        setting,
        group,
        "auroc",
        **vars(result.auroc),
        null=0.5,
        auroc=result.auroc.value,
        tpr_at_1_fpr=result.tpr.value,
        tpr_at_1_fpr_low=result.tpr.low,
        tpr_at_1_fpr_high=result.tpr.high,
        n_members=result.n_members,
        n_nonmembers=result.n_nonmembers,
        note=note,
    )


def attack_released_models(
    models: TrainedModels,
    sampling: SamplingConfig,
    cohort: Cohort,
    groups: MatchedGroups,
    noising: Noising,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Attack the released models by their losses.

    Parameters
    ----------
    models
        Trained denoisers.
    sampling
        Parameters: weights and experts of the ensemble.
    cohort
        Latents and splits.
    groups
        Members and non-members of equal cancer types.
    noising
        Noise levels and noises.
    bootstrap, seed
        Intervals over patients.

    Returns
    -------
    DataFrame
        Rows of :func:`membership_row`: ``loss`` and ``calibrated_loss`` for each model, by noise
        level and over all, for all models of a method together (target ``all``), and for unmatched
        patients.
    """
    latents, given = (
        latent_tensors(frames, groups.patients) for frames in (cohort.latents, cohort.conditions)
    )
    losses = model_losses(models, sampling, latents, given, noising)
    n_members = groups.n_pairs

    def judge(scores: Scores) -> AttackResult:
        return attack_result(scores[:n_members], scores[n_members:], bootstrap, seed)

    rows = []
    for model, found in losses.items():
        for timestep, column in zip(noising.timesteps, found.T, strict=True):
            rows.append(
                membership_row("loss", model, f"timestep {timestep}", MATCHED, judge(-column))
            )
    scores = {"loss": _mean_losses(losses), "calibrated_loss": calibrated_losses(losses)}
    for attack, by_model in scores.items():
        for model, found in by_model.items():
            rows.append(membership_row(attack, model, ALL_LEVELS, MATCHED, judge(-found)))
    for model, members in _unmatched_losses(models, cohort, groups, noising, seed).items():
        nonmembers = losses[model][n_members:].mean(axis=1)
        result = attack_result(-members, -nonmembers, bootstrap, seed)
        rows.append(membership_row("loss", model, ALL_LEVELS, UNMATCHED, result))
    return pd.DataFrame(rows)


def calibrated_losses(
    losses: Mapping[tuple[str, str, str], Losses],
) -> dict[tuple[str, str, str], Scores]:
    """Return the logarithm of each model's loss over that of the standard normal distribution.

    Parameters
    ----------
    losses
        Result of :func:`tcga_coherent.privacy.attacks.losses.model_losses`.

    Returns
    -------
    dict
        Model to one value a patient, mean over noise levels; and (method, all, ) to the mean over
        the models of a method.
    """
    control = {target: np.log(v) for (method, target, _), v in losses.items() if method == CONTROL}
    relative = {
        model: (np.log(found) - control[model[1]]).mean(axis=1)
        for model, found in losses.items()
        if model[0] != CONTROL
    }
    return _with_totals(relative)


def likelihood_ratios(
    losses: Losses, is_member: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Attack every training with the others as reference.

    The logarithm of the loss is taken for normal around a mean of the patient's own, with one
    variance for all patients, as references are few. The training on the complementary half is
    left out, so that every patient has as many references that were trained on the patient as that
    were not, whether a member or not.

    Parameters
    ----------
    losses
        Logarithm of the loss, trainings x patients x features; trainings 2 k and 2 k + 1 are on
        complementary halves. Features (noise levels, models) are taken for independent.
    is_member
        Trainings x patients.

    Returns
    -------
    dict
        ``lira_online``: logarithm of the likelihood of membership over that of its contrary;
        ``lira_offline``: the same without references that were trained on the patient, how far
        the loss lies below theirs. Trainings x patients.

    Raises
    ------
    ValueError
        When the trainings are no pairs of complementary halves, or fewer than two pairs.
    """
    n_trainings = len(losses)
    if n_trainings < 4 or n_trainings % 2 or (is_member[::2] == is_member[1::2]).any():
        raise ValueError("Likelihood ratios need at least two pairs of complementary trainings.")
    # What a training does to all patients tells nothing of one.
    centred = losses - losses.mean(axis=1, keepdims=True)
    online, offline = [], []
    for number in range(n_trainings):
        others = [r for r in range(n_trainings) if r // 2 != number // 2]
        known = is_member[others]
        means, variances = [], []
        for used in (known, ~known):
            weights = used[:, :, None] / used.sum(axis=0)[None, :, None]
            mean = (weights * centred[others]).sum(axis=0)
            squares = np.where(used[:, :, None], (centred[others] - mean) ** 2, 0.0)
            # Each patient's mean takes a degree of freedom; of a single reference none is left.
            freedom = max(1, (used.sum(axis=0) - 1).sum())
            means.append(mean)
            variances.append(squares.sum(axis=(0, 1)) / freedom)
        pooled = np.mean(variances, axis=0)
        if not pooled.all():
            pooled = centred[others].var(axis=(0, 1))
        inside, outside = ((centred[number] - mean) ** 2 / pooled for mean in means)
        online.append(0.5 * (outside - inside).sum(axis=1))
        offline.append(((means[1] - centred[number]) / np.sqrt(pooled)).sum(axis=1))
    return {"lira_online": np.stack(online), "lira_offline": np.stack(offline)}


def _unmatched_losses(
    models: TrainedModels, cohort: Cohort, groups: MatchedGroups, noising: Noising, seed: int
) -> dict[tuple[str, str, str], Scores]:
    """Return the losses of training patients of any cancer type, with any modalities.

    As many of each model's own training patients as there are matched ones; an ensemble has no
    training patients of its own.
    """
    found = {}
    conditions = cohort.conditions
    for denoiser in (*models.single.values(), *models.multi.values()):
        frames = {name: conditions[name] for name in denoiser.sources}
        frames[denoiser.target] = cohort.latents[denoiser.target]
        needed = frames.values() if len(denoiser.sources) == 1 else [frames[denoiser.target]]
        patients = cohort.train
        for frame in needed:
            patients = patients[patients.isin(frame.index)]
        random = np.random.default_rng(seed)
        patients = patients[random.permutation(len(patients))[: groups.n_pairs]]
        values = {
            name: torch.from_numpy(frame.reindex(patients).fillna(0.0).to_numpy(np.float32))
            for name, frame in frames.items()
        }
        masks = {name: torch.from_numpy(patients.isin(f.index)) for name, f in frames.items()}
        target = values.pop(denoiser.target)
        (losses,) = denoising_losses([denoiser], target, values, noising, masks)
        method = "single" if denoiser.name in models.single else "multi"
        found[method, denoiser.target, join_sources(denoiser.sources)] = losses.mean(axis=1)
    return found


def _with_totals(
    scores: Mapping[tuple[str, str, str], Scores],
) -> dict[tuple[str, str, str], Scores]:
    """Add the mean over the models of each method, as an attacker who has all of them uses it."""
    totals = {}
    for method in dict.fromkeys(method for method, _, _ in scores):
        of_method = [found for model, found in scores.items() if model[0] == method]
        totals[method, ALL, ""] = np.mean(of_method, axis=0)
    return {**scores, **totals}


def _mean_losses(
    losses: Mapping[tuple[str, str, str], Losses],
) -> dict[tuple[str, str, str], Scores]:
    return _with_totals({model: found.mean(axis=1) for model, found in losses.items()})
