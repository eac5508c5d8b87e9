import pandas as pd
import pytest

from tcga_coherent.histology.expression.parameters import ProfileSplit
from tcga_coherent.histology.expression.split import profiles_with_tiles, split_profiles

PATIENTS = [f"P{n:02d}" for n in range(60)]
GROUPS = pd.DataFrame(
    {"cancer_type": ["A"] * 40 + ["B"] * 20, "group": PATIENTS, "has_tiles": [True] * 50 + [False] * 10},
    index=pd.Index(PATIENTS, name="patient_id"),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_every_type_is_split_with_and_without_tiles_by_the_shares(seed):
    split = split_profiles(GROUPS, ProfileSplit(), seed)
    strata = [GROUPS["cancer_type"], GROUPS["has_tiles"]]
    assert pd.crosstab(strata, split["split"]).to_dict("index") == {
        ("A", True): {"train": 24, "val": 8, "test": 8},
        ("B", True): {"train": 6, "val": 2, "test": 2},
        ("B", False): {"train": 6, "val": 2, "test": 2},
    }


def test_a_group_is_in_one_part_and_the_seed_decides_which():
    groups = GROUPS.assign(group=[f"G{n // 2}" for n in range(60)])
    split = split_profiles(groups, ProfileSplit(), 0)
    assert split["split"].groupby(groups["group"]).nunique().eq(1).all()
    assert split.equals(split_profiles(groups, ProfileSplit(), 0))
    assert not split.equals(split_profiles(groups, ProfileSplit(), 1))


def test_another_type_changes_nothing_for_this_one():
    alone = split_profiles(GROUPS[GROUPS["cancer_type"] == "A"], ProfileSplit(), 0)
    both = split_profiles(GROUPS, ProfileSplit(), 0)
    assert both.loc[alone.index].equals(alone)


def test_test_groups_are_all_that_is_tested():
    groups = GROUPS.assign(group=["S1"] * 15 + ["S2"] * 15 + PATIENTS[30:], cancer_type="A")
    split = split_profiles(groups, ProfileSplit(test_groups=("S2",)), 0)
    assert split.index[split["split"] == "test"].tolist() == PATIENTS[15:30]
    with pytest.raises(ValueError, match=r"test_groups names S9, but the groups are P30"):
        split_profiles(groups, ProfileSplit(test_groups=("S9",)), 0)


def test_one_patient_is_too_few():
    with pytest.raises(ValueError, match="No patient with tiles is left for val"):
        split_profiles(GROUPS.iloc[:1], ProfileSplit(), 0)


def test_expression_of_unknown_patients_is_named_beside_those_of_the_tiles():
    expression = pd.DataFrame(index=["X1", "X2"])
    with pytest.raises(ValueError, match=r"tiles are of P00, P01, P02, expression of X1, X2"):
        profiles_with_tiles(pd.Series(PATIENTS), expression, GROUPS)


def test_patients_with_tiles_alone_take_no_part_and_are_counted(caplog):
    expression = pd.DataFrame(index=PATIENTS[1:])
    known = profiles_with_tiles(
        pd.Series(PATIENTS[:3]), expression, GROUPS[["cancer_type", "group"]]
    )
    assert known["has_tiles"].sum() == 2
    assert len(known) == 59
    assert (
        "1 patients with tiles have no expression or no type and take no part, such as P00"
        in caplog.text
    )
