import pandas as pd
import pytest

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.privacy.attacks.groups import match_groups

TYPES = pd.Series(
    {f"m{i}": "LUAD" if i < 6 else "BRCA" for i in range(10)}
    | {f"n{i}": "LUAD" if i < 2 else "BRCA" for i in range(9)}
    | {"s0": "SKCM"}
)
MEMBERS = pd.Index([f"m{i}" for i in range(10)] + ["s0"], name="patient_id")
NONMEMBERS = pd.Index([f"n{i}" for i in range(9)], name="patient_id")


def test_pairs_share_their_cancer_type_and_nobody_is_in_two() -> None:
    groups = match_groups(MEMBERS, NONMEMBERS, TYPES, seed=0)
    # The fewer of either side: 2 of 6 and 2 with LUAD, 4 of 4 and 7 with BRCA, no SKCM.
    assert groups.n_pairs == 6
    assert (TYPES[groups.members].to_numpy() == TYPES[groups.nonmembers].to_numpy()).all()
    assert groups.cancer_type.value_counts().to_dict() == {"BRCA": 4, "LUAD": 2}
    assert groups.patients.is_unique
    assert set(groups.members) <= set(MEMBERS)
    assert set(groups.nonmembers) <= set(NONMEMBERS)


def test_the_choice_follows_the_seed() -> None:
    first, again, other = (match_groups(MEMBERS, NONMEMBERS, TYPES, seed) for seed in (0, 0, 1))
    assert first.patients.equals(again.patients)
    assert not first.patients.equals(other.patients)


def test_groups_without_a_common_type_cannot_be_matched() -> None:
    with pytest.raises(CannotEvaluate, match="0 pairs of a training and a test patient"):
        match_groups(MEMBERS[:6], NONMEMBERS[2:], TYPES, seed=0)
