import logging

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from tcga_coherent.omics.patients.splits import SplitConfig, assign_split, split_patients


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
    assert list(split.columns) == ["split", "cancer_type", "assigned_by"]
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


def assert_nobody_moved(before: pd.DataFrame, after: pd.DataFrame) -> None:
    pd.testing.assert_series_equal(after.loc[before.index, "split"], before["split"])


def test_assigned_patients_never_move_when_others_join() -> None:
    before, _ = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    more = {name: (2 * n, 2 * complete) for name, (n, complete) in TYPES.items()}
    presence, cancer_type = cohort({**more, "UCS": (40, 40)})
    # Whom the former split does not know comes last, or is in the midst of those it knows.
    assert not presence.index.equals(before.index)
    after, table = split_patients(presence, cancer_type, SplitConfig(), seed=0, former=before)
    assert_nobody_moved(before, after)
    # Those who joined fill the parts up to what a cohort of this size holds out.
    table = table.set_index("cancer_type")
    assert table.loc["BRCA", ["val", "test"]].tolist() == [20, 60]
    assert table.loc["SKCM", ["val", "test"]].tolist() == [4, 12]
    assert table.loc["UCS", ["val", "test"]].tolist() == [2, 6]
    joined = after.loc[~after.index.isin(before.index)]
    assert presence.loc[joined.index[joined["split"] != "train"]].all(axis=None)


def test_assigned_patients_never_move_when_a_modality_joins() -> None:
    presence, cancer_type = cohort(TYPES)
    before, _ = split_patients(presence, cancer_type, SplitConfig(), seed=0)
    measured = np.random.default_rng(1).random(len(presence)) < 0.5
    more = presence.assign(methylation=measured)
    after, _ = split_patients(more, cancer_type, SplitConfig(), seed=0, former=before)
    pd.testing.assert_frame_equal(after, before)
    # Without a memory of it the split would be another one.
    anew, _ = split_patients(more, cancer_type, SplitConfig(), seed=0)
    assert (anew["split"] != before["split"]).any()


def test_patients_who_leave_are_forgotten_and_the_others_stay() -> None:
    presence, cancer_type = cohort(TYPES)
    before, _ = split_patients(presence, cancer_type, SplitConfig(), seed=0)
    left = presence.index[::3]
    after, _ = split_patients(
        presence.drop(left), cancer_type, SplitConfig(), seed=0, former=before
    )
    assert list(after.index) == sorted(presence.index.difference(left))
    assert_nobody_moved(before.drop(left), after)


@pytest.mark.parametrize(
    ("seed", "config"), [(1, SplitConfig()), (0, SplitConfig(test_fraction=0.2))]
)
def test_another_rule_draws_everybody_anew_and_says_so(
    seed: int, config: SplitConfig, caplog: pytest.LogCaptureFixture
) -> None:
    before, _ = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    after, _ = split_patients(*cohort(TYPES), config, seed=seed, former=before)
    fresh, _ = split_patients(*cohort(TYPES), config, seed=seed)
    pd.testing.assert_frame_equal(after, fresh)
    assert (after["split"] != before["split"]).any()
    assert "were assigned by another rule" in caplog.text
    assert "everybody is drawn anew" in caplog.text


@pytest.mark.parametrize("columns", [["split", "cancer_type"], []])
def test_a_split_of_unknown_origin_binds_nobody(columns: list[str]) -> None:
    """An older version did not say by which rule it assigned patients."""
    fresh, _ = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    former = fresh.assign(split="train")[columns]
    after, _ = split_patients(*cohort(TYPES), SplitConfig(), seed=0, former=former)
    pd.testing.assert_frame_equal(after, fresh)


def test_the_same_cohort_again_keeps_its_split_to_the_last_patient(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before, _ = split_patients(*cohort(TYPES), SplitConfig(), seed=0)
    with caplog.at_level("INFO"):
        after, _ = split_patients(*cohort(TYPES), SplitConfig(), seed=0, former=before)
    pd.testing.assert_frame_equal(after, before)
    assert "400 patients keep the part they had, 0 are new" in caplog.text


def test_five_folds_test_every_complete_patient_once_whoever_else_there_is() -> None:
    presence, types = cohort(TYPES)
    parts = [
        split_patients(presence, types, SplitConfig(fold=f"{number} of 5"), seed=0)[0]["split"]
        for number in range(1, 6)
    ]
    tested = pd.concat([part[part == "test"] for part in parts])
    complete = presence.index[presence.all(axis=1)]
    assert sorted(tested.index) == sorted(complete)
    # Some 198 / 5 each.
    assert all(25 <= (part == "test").sum() <= 55 for part in parts)
    assert all((part == "val").sum() >= 5 for part in parts)
    some = presence.index[::2]
    fewer, _ = split_patients(presence.loc[some], types[some], SplitConfig(fold="2 of 5"), seed=0)
    there = parts[1].loc[some] == "test"
    assert (fewer["split"].eq("test") == there).all()


@pytest.mark.parametrize("fold", ["0 of 5", "6 of 5", "1 of 1", "second", "1/5"])
def test_a_fold_that_is_none_is_refused(fold: str) -> None:
    with pytest.raises(ValueError, match="fold"):
        TypeAdapter(SplitConfig).validate_python({"fold": fold})


def test_where_nobody_is_complete_two_modalities_are_enough(
    caplog: pytest.LogCaptureFixture,
) -> None:
    patients = pd.Index([f"P{i:03d}" for i in range(90)], name="patient_id")
    number = np.arange(90)
    # A third of the patients has each pair, the last ten one modality alone.
    presence = pd.DataFrame(
        {name: number % 3 != lacking for lacking, name in enumerate(("cna", "rppa", "wsi"))},
        index=patients,
    )
    presence.loc[patients[-10:], ["rppa", "wsi"]] = False
    presence.loc[patients[-10:], "cna"] = True
    types = pd.Series("LUAD", index=patients)
    with caplog.at_level(logging.WARNING):
        split, table = split_patients(presence, types, SplitConfig(), seed=0)
    assert "Only 0 of 90 patients have all of cna, rppa, wsi" in caplog.text
    assert "from the 80 with two or more" in caplog.text
    counts = split["split"].value_counts()
    assert counts[["train", "val", "test"]].tolist() == [90 - 5 - 14, 5, 14]
    assert (presence[split["split"] != "train"].sum(axis=1) == 2).all()
    assert table["complete"].tolist() == [0]


def test_a_file_says_who_is_where_and_the_others_train(caplog: pytest.LogCaptureFixture) -> None:
    presence, types = cohort({"BRCA": (6, 2)})
    given = pd.DataFrame(
        {"split": ["test", "val", "test"]}, index=["BRCA-0000", "BRCA-0003", "elsewhere"]
    )
    with caplog.at_level(logging.WARNING):
        split, table = assign_split(presence, types, given)
    assert split["split"].tolist() == ["test", "train", "train", "val", "train", "train"]
    assert set(split["assigned_by"]) == {"file"}
    assert table[["train", "val", "test", "complete"]].iloc[0].tolist() == [4, 1, 1, 2]
    assert "does not name 4 patients" in caplog.text
    assert "names 1 who are not in it, such as elsewhere" in caplog.text
    with pytest.raises(ValueError, match="The val split is empty: the file of split_file"):
        assign_split(presence, types, given.replace("val", "train"))
