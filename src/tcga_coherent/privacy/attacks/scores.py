"""How well a score tells members of a training from non-members.

Scores are higher for those whom the attacker takes for members.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    resample_patients,
)
from tcga_coherent.measures.score import Estimate, estimate

Scores = NDArray[np.floating]

FALSE_POSITIVE_RATE = 0.01


@dataclass(frozen=True)
class AttackResult:
    """How well an attack works.

    Attributes
    ----------
    auroc
        Chance that a member has a higher score than a non-member; 0.5 is guessing.
    tpr
        Share of members found at a false positive rate of 1 %; 0.01 is guessing. Carlini et al.
        (2022) hold it to be what counts: an attack that is sure of a few patients harms them.
    n_members, n_nonmembers
        Patients.
    """

    auroc: Estimate
    tpr: Estimate
    n_members: int
    n_nonmembers: int


def attack_row(
    attack: str,
    model: tuple[str, str, str],
    setting: str,
    group: str,
    statistic: str,
    **values: Any,
) -> dict[str, Any]:
    """Return a row of the table of attacks.

    Parameters
    ----------
    attack, setting, group, statistic
        What was done, with what, to whom, and what is measured.
    model
        Method, target and sources joined by ``+``.
    values
        Further columns; ``note`` is empty unless it is among them.
    """
    method, target, source = model
    return {
        "attack": attack,
        "method": method,
        "target": target,
        "source": source,
        "setting": setting,
        "group": group,
        "statistic": statistic,
        "note": "",
    } | values


def attack_result(
    members: Scores, nonmembers: Scores, parameters: BootstrapParameters, seed: int
) -> AttackResult:
    """Return AUROC and true positive rate at 1 % false positives, with intervals over patients.

    Parameters
    ----------
    members, nonmembers
        One score a patient, higher for whom the attacker takes for a member.
    parameters
        Bootstrap; members and non-members are drawn apart.
    seed
        Seed of the bootstrap.
    """
    counts = (
        resample_patients(len(members), parameters.repeats, seed),
        resample_patients(len(nonmembers), parameters.repeats, seed + 1),
    )
    return AttackResult(
        auroc=estimate(
            auroc(members, nonmembers)[0], auroc(members, nonmembers, counts), parameters.level
        ),
        tpr=estimate(
            true_positive_rate(members, nonmembers)[0],
            true_positive_rate(members, nonmembers, counts),
            parameters.level,
        ),
        n_members=len(members),
        n_nonmembers=len(nonmembers),
    )


def crossed_attack_result(
    scores: Scores, is_member: NDArray[np.bool_], parameters: BootstrapParameters, seed: int
) -> AttackResult:
    """Return the mean result over models of which each has members of its own.

    Parameters
    ----------
    scores
        Score of each patient under each model, models x patients.
    is_member
        Whether the model was trained on the patient, models x patients; both occur for each model.
    parameters
        Bootstrap: a patient is drawn with the scores under all models.
    seed
        Seed of the bootstrap.
    """
    counts = resample_patients(scores.shape[1], parameters.repeats, seed)
    measured: dict[str, list[NDArray[np.float64]]] = {"auroc": [], "tpr": []}
    for row, member in zip(scores, is_member, strict=True):
        groups = row[member], row[~member]
        drawn = counts[:, member], counts[:, ~member]
        for name, measure in (("auroc", auroc), ("tpr", true_positive_rate)):
            measured[name].append(np.append(measure(*groups), measure(*groups, drawn)))
    means = {name: np.mean(values, axis=0) for name, values in measured.items()}
    return AttackResult(
        auroc=estimate(means["auroc"][0], means["auroc"][1:], parameters.level),
        tpr=estimate(means["tpr"][0], means["tpr"][1:], parameters.level),
        n_members=round(is_member.sum(axis=1).mean()),
        n_nonmembers=round((~is_member).sum(axis=1).mean()),
    )


def auroc(
    members: Scores, nonmembers: Scores, counts: tuple[Counts, Counts] | None = None
) -> NDArray[np.float64]:
    """Area under the receiver operating characteristic; equal scores count half.

    Parameters
    ----------
    members, nonmembers
        One score a patient.
    counts
        How often each member and each non-member is drawn, samples x patients; None for all of them
        once.

    Returns
    -------
    ndarray
        One value a sample.
    """
    of_members, of_nonmembers = _counts(members, nonmembers, counts)
    ordered = np.sort(nonmembers)
    order = np.argsort(nonmembers, kind="stable")
    below = np.pad(np.cumsum(of_nonmembers[:, order], axis=1), ((0, 0), (1, 0)))
    left, right = (np.searchsorted(ordered, members, side) for side in ("left", "right"))
    wins = 0.5 * (below[:, left] + below[:, right])
    pairs = of_members.sum(axis=1) * of_nonmembers.sum(axis=1)
    return np.sum(of_members * wins, axis=1) / pairs


def true_positive_rate(
    members: Scores,
    nonmembers: Scores,
    counts: tuple[Counts, Counts] | None = None,
    false_positive_rate: float = FALSE_POSITIVE_RATE,
) -> NDArray[np.float64]:
    """Share of members found where a given share of non-members is taken for ones.

    Above the k-th highest of n non-members a further one lies with probability k / (n + 1). The share
    of members there is interpolated between the two k next to the wanted rate, so that guessing finds
    this share of them in expectation, however few the non-members.

    Parameters
    ----------
    members, nonmembers, counts
        As in :func:`auroc`.
    false_positive_rate
        Share of non-members above the threshold.

    Returns
    -------
    ndarray
        One value a sample.
    """
    of_members, of_nonmembers = _counts(members, nonmembers, counts)
    order = np.argsort(-nonmembers, kind="stable")
    rank = np.cumsum(of_nonmembers[:, order], axis=1)
    above = _share_above(members, of_members, nonmembers[order])
    wanted = false_positive_rate * (of_nonmembers.sum(axis=1) + 1)
    fewer = np.floor(wanted)
    low, high = (_at_rank(above, rank, k) for k in (fewer, fewer + 1))
    return low + (wanted - fewer) * (high - low)


def _at_rank(
    above: NDArray[np.float64], rank: NDArray[np.integer], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of members above the non-member of a rank; none lie above rank 0."""
    column = np.where(wanted > 0, np.sum(rank < wanted[:, None], axis=1) + 1, 0)
    return above[np.arange(len(above)), column]


def _share_above(members: Scores, of_members: Counts, thresholds: Scores) -> NDArray[np.float64]:
    """Return the share of members above each threshold, behind a column of zeros and before ones.

    Members who have just the score of a threshold count half.
    """
    passed = np.pad(np.cumsum(of_members[:, np.argsort(-members)], axis=1), ((0, 0), (1, 0)))
    left, right = (
        np.searchsorted(np.sort(-members), -thresholds, side) for side in ("left", "right")
    )
    share = 0.5 * (passed[:, left] + passed[:, right]) / passed[:, -1:]
    return np.pad(share, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))


def _counts(
    members: Scores, nonmembers: Scores, counts: tuple[Counts, Counts] | None
) -> tuple[Counts, Counts]:
    if counts is not None:
        return counts
    return np.ones((1, len(members)), np.int64), np.ones((1, len(nonmembers)), np.int64)
