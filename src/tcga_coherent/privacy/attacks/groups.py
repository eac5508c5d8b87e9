"""Whom an attacker tells apart: training patients, and patients who could have been ones.

Patients with all modalities come from few cancer types, and test patients have all of them. An attack
on all training patients would therefore find cancer types and completeness, not membership. Members
and non-members are matched in both.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate

# Without the pair of a patient who is attacked, there must be others to compare the patient to.
MIN_PAIRS = 4


@dataclass(frozen=True)
class MatchedGroups:
    """Members and non-members of a training, pair by pair of the same cancer type.

    Attributes
    ----------
    members, nonmembers
        Patients with all modalities, equal in number; those at one position are a pair.
    cancer_type
        Cancer type of each pair.
    """

    members: pd.Index
    nonmembers: pd.Index
    cancer_type: pd.Series

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return len(self.members)

    @property
    def patients(self) -> pd.Index:
        """Members, then non-members."""
        return self.members.append(self.nonmembers)


def match_by_cancer_type(cohort: Cohort, seed: int) -> MatchedGroups:
    """Match complete training patients to complete test patients by cancer type.

    Parameters
    ----------
    cohort
        Latents and splits.
    seed
        Seed of the choice where a cancer type has more patients of one split than of the other.

    Raises
    ------
    CannotEvaluate
        When fewer than four pairs can be made.
    """
    return match_groups(
        cohort.complete(cohort.train), cohort.complete(cohort.test), cohort.cancer_type, seed
    )


def match_groups(
    members: pd.Index, nonmembers: pd.Index, cancer_type: pd.Series, seed: int
) -> MatchedGroups:
    """Pair patients of two groups within cancer types, as many as there can be.

    Parameters
    ----------
    members, nonmembers
        The groups, without common patients.
    cancer_type
        Cancer type of every patient.
    seed
        Seed of the choice.

    Raises
    ------
    CannotEvaluate
        When fewer than four pairs can be made.
    """
    random = np.random.default_rng(seed)
    pairs = []
    for name in sorted(set(cancer_type[members]) & set(cancer_type[nonmembers])):
        sides = [side[(cancer_type[side] == name).to_numpy()] for side in (members, nonmembers)]
        n_pairs = min(map(len, sides))
        pairs.append([side[random.permutation(len(side))[:n_pairs]] for side in sides])
    chosen = [
        pd.Index([patient for pair in pairs for patient in pair[side]], name=members.name)
        for side in (0, 1)
    ]
    if len(chosen[0]) < MIN_PAIRS:
        raise CannotEvaluate(
            f"{len(chosen[0])} pairs of a training and a test patient with all modalities share their "
            f"cancer type, {MIN_PAIRS} are needed"
        )
    return MatchedGroups(chosen[0], chosen[1], cancer_type[chosen[1]])
