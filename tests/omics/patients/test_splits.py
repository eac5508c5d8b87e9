import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.patients.splits import SplitConfig, split_patients


def cohort(types: dict[str, tuple[int, int]]) -> tuple[pd.DataFrame, pd.Series]:
    """Patients of each type: (number, of whom complete)."""
    rows, names, ids = [], [], []
    for name, (number, complete) in types.items():
        for i in range(number):
            rows.append((True, i < complete))
            names.append(name)
            ids.append(f"{name}-{i:04d}")
    index = pd.Index(ids, name="patient_id")
    return pd.DataFrame(rows, index=index, columns=["cna", "rppa"]), pd.Series(names, index=index)


TYPES = {"BRCA": (200, 150), "LUAD": (100, 8), "OV": (60, 0), "SKCM": (40, 40)}


def test_each_type_is_split_80_5_15_where_it_has_enough_complete_patients() -> None:
    split, table = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    counts = pd.crosstab(split["cancer_type"], split["split"])
    assert counts.loc["BRCA", ["train", "val", "test"]].tolist() == [160, 10, 30]
    assert counts.loc["SKCM", ["train", "val", "test"]].tolist() == [32, 2, 6]
    table = table.set_index("cancer_type")
    assert table.loc["BRCA", ["patients", "complete", "note"]].tolist() == [200, 150, ""]


def test_a_type_with_few_complete_patients_holds_out_half_of_them_one_to_three() -> None:
    split, table = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    counts = split[split["cancer_type"] == "LUAD"]["split"].value_counts()
    assert counts[["train", "val", "test"]].tolist() == [96, 1, 3]
    row = table.set_index("cancer_type").loc["LUAD"]
    assert row[["wanted_val", "wanted_test", "val", "test"]].tolist() == [5, 15, 1, 3]
    assert row["note"] == "few complete patients"


def test_a_type_without_complete_patients_trains_altogether() -> None:
    split, table = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    assert set(split[split["cancer_type"] == "OV"]["split"]) == {"train"}
    assert table.set_index("cancer_type").loc["OV", "note"] == "no complete patients"


def test_only_complete_patients_validate_and_test_and_everyone_has_a_split() -> None:
    presence, cancer_type = cohort(TYPES)
    split, table = split_patients(presence, cancer_type, SplitConfig(), seed=0)
    held_out = split.index[split["split"] != "train"]
    assert presence.loc[held_out].all(axis=None)
    assert list(split.index) == sorted(presence.index)
    assert split.index.name == "patient_id"
    assert list(split.columns) == ["split", "cancer_type"]
    pd.testing.assert_series_equal(
        split["cancer_type"], cancer_type.sort_index(), check_names=False
    )
    totals = split["split"].value_counts()
    assert table[["train", "val", "test"]].sum().to_dict() == totals.to_dict()


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    presence, cancer_type = cohort(TYPES)
    first, _ = split_patients(presence, cancer_type, SplitConfig(), seed=0)
    shuffled = np.random.default_rng(3).permutation(presence.index)
    again, _ = split_patients(presence.loc[shuffled], cancer_type, SplitConfig(), seed=0)
    other, _ = split_patients(presence, cancer_type, SplitConfig(), seed=1)
    pd.testing.assert_frame_equal(first, again)
    assert (first["split"] != other["split"]).any()


def test_the_split_of_a_type_does_not_depend_on_the_other_types() -> None:
    everyone, _ = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    alone, _ = split_patients(*cohort({"BRCA": TYPES["BRCA"]}), SplitConfig(), seed=0)
    pd.testing.assert_frame_equal(everyone[everyone["cancer_type"] == "BRCA"], alone)


def test_a_cancer_type_with_three_patients_is_named_with_the_ways_out() -> None:
    types = {**TYPES, "CHOL": (3, 3)}
    with pytest.raises(
        ValueError,
        match=r"cancer type: CHOL \(3\); at least 5 .*min_patients_per_type.*small_types to train",
    ):
        split_patients(*cohort(types), SplitConfig(), seed=0)
    split, table = split_patients(*cohort(types), SplitConfig(small_types="train"), seed=0)
    assert set(split[split["cancer_type"] == "CHOL"]["split"]) == {"train"}
    assert table.set_index("cancer_type").loc["CHOL", "note"] == "too few patients"


def test_an_empty_split_is_an_error_that_says_how_many_are_complete() -> None:
    with pytest.raises(
        ValueError, match="The val split is empty: 0 of 60 patients have all of cna"
    ):
        split_patients(*cohort({"OV": (60, 0)}), SplitConfig(), seed=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"val_fraction": 0.0}, "val_fraction must be above 0"),
        ({"val_fraction": 0.5, "test_fraction": 0.5}, "together must be below 1"),
        ({"small_types": "drop"}, "small_types"),
    ],
)
def test_impossible_shares_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitConfig(**settings)
