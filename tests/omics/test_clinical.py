import logging

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.clinical import ClinicalColumns, harmonise_clinical, reduce_stage

COLUMNS = ClinicalColumns(stage="stage", age="age", sex="sex")


def raw(**changes: list[object]) -> pd.DataFrame:
    columns: dict[str, list[object]] = {
        "cancer_type": ["ACC", "ACC", "UCS"],
        "stage": ["Stage IIIA", None, "stage iv"],
        "OS": ["1", "0", "0.0"],
        "OS.time": ["100", "0", "350.5"],
        "age": ["50", "61.0", None],
        "sex": ["MALE", "Female", "female"],
    }
    return pd.DataFrame(
        columns | changes, index=["TCGA-AA-0002-01A", "TCGA-AA-0001-01A", "TCGA-BB-0001-01A"]
    )


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("Stage I", "I"),
        ("Stage IA", "I"),
        ("Stage IA2", "I"),
        ("Stage IB1", "I"),
        ("Stage IS", "I"),
        ("Stage II", "II"),
        ("stage iib", "II"),
        ("Stage IIC", "II"),
        ("Stage IIIA", "III"),
        ("IIIC2", "III"),
        (" Stage III ", "III"),
        ("Stage IV", "IV"),
        ("Stage IVC", "IV"),
        ("Stage IIB NOS", "II"),
        ("3", "III"),
        ("Stage 4A", "IV"),
        ("Stage 0", None),
        ("Stage Tis", None),
        ("Stage X", None),
        ("I/II NOS", None),
        ("[Not Available]", None),
        ("[Discrepancy]", None),
        ("Not Reported", None),
        ("Unknown", None),
        ("--", None),
        ("", None),
        (None, None),
        (np.nan, None),
    ],
)
def test_stages_are_reduced_to_four_or_none(text: object, stage: str | None) -> None:
    reduced, unread = reduce_stage(pd.Series([text], dtype=object))
    assert reduced.tolist() == [stage]
    assert unread.tolist() == [False]


@pytest.mark.parametrize("text", ["Stage VI", "high", "Stage IIIV", "12", "T2N0M0"])
def test_a_text_that_is_no_stage_is_missing_and_said_to_be_unread(text: str) -> None:
    reduced, unread = reduce_stage(pd.Series([text]))
    assert reduced.tolist() == [None]
    assert unread.tolist() == [True]


def test_a_table_comes_out_in_one_form() -> None:
    clinical, report = harmonise_clinical(raw(), COLUMNS)
    expected = pd.DataFrame(
        {
            "cancer_type": ["ACC", "ACC", "UCS"],
            "stage": [None, "III", "IV"],
            "os_event": [0.0, 1.0, 0.0],
            "os_days": [0.0, 100.0, 350.5],
            "age": [61.0, 50.0, np.nan],
            "sex": ["female", "male", "female"],
        },
        index=pd.Index(["TCGA-AA-0001", "TCGA-AA-0002", "TCGA-BB-0001"], name="patient_id"),
    )
    pd.testing.assert_frame_equal(clinical, expected)
    assert report.to_numpy().tolist() == [["stage", "missing", 1, ""], ["age", "missing", 1, ""]]


def test_numeric_columns_are_as_good_as_text() -> None:
    numeric = raw(**{"OS": [1, 0, 0], "OS.time": [100, 0, 350.5], "age": [50, 61, None]})
    pd.testing.assert_frame_equal(
        harmonise_clinical(numeric, COLUMNS)[0], harmonise_clinical(raw(), COLUMNS)[0]
    )


def test_unusable_values_become_missing_and_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    frame = raw(
        **{
            "stage": ["Stage VI", "Stage I", None],
            "OS": ["2", "perhaps", "0.5"],
            "OS.time": ["-3", "unknown", "5"],
            "age": ["20000", "old", "70"],
            "sex": ["male", "unknown", "female"],
        }
    )
    with caplog.at_level(logging.WARNING):
        clinical, report = harmonise_clinical(frame, COLUMNS)
    assert clinical["os_event"].isna().all()
    assert clinical["os_days"].dropna().to_dict() == {"TCGA-BB-0001": 5.0}
    assert clinical["age"].dropna().to_dict() == {"TCGA-BB-0001": 70.0}
    assert clinical["sex"].dropna().to_dict() == {"TCGA-AA-0002": "male", "TCGA-BB-0001": "female"}
    counts = {
        (column, problem): (n, examples)
        for column, problem, n, examples in report.itertuples(index=False, name=None)
    }
    assert counts == {
        ("stage", "missing"): (1, ""),
        ("stage", "not an AJCC stage, set to missing"): (1, "Stage VI"),
        ("os_event", "neither 0 nor 1, set to missing"): (3, "perhaps, 2, 0.5"),
        ("os_days", "not a number, set to missing"): (1, "unknown"),
        ("os_days", "negative survival time, set to missing"): (1, "-3"),
        ("age", "not a number, set to missing"): (1, "old"),
        ("age", "outside 0 to 120 years, set to missing"): (1, "20000"),
        ("sex", "neither female nor male, set to missing"): (1, "unknown"),
    }
    assert "clinical os_days: 1 values negative survival time, set to missing (-3)" in caplog.text


def test_several_samples_of_a_patient_complete_each_other() -> None:
    frame = raw().set_axis(["TCGA-AA-0001-01A", "TCGA-AA-0001-11A", "TCGA-AA-0001-01B"])
    frame["cancer_type"] = "ACC"
    frame.iloc[0, frame.columns.get_indexer(["stage", "OS.time"])] = None
    clinical, _ = harmonise_clinical(frame, COLUMNS)
    assert clinical.loc["TCGA-AA-0001", ["stage", "os_event", "os_days"]].tolist() == ["IV", 1, 0]


def test_a_patient_with_two_cancer_types_is_named() -> None:
    frame = raw().set_axis(["TCGA-AA-0001-01A", "TCGA-AA-0001-11A", "TCGA-AA-0001-01B"])
    with pytest.raises(ValueError, match="Patient TCGA-AA-0001 has the cancer types ACC, UCS"):
        harmonise_clinical(frame, COLUMNS)


def test_an_absent_column_is_named_with_its_parameter_and_can_be_null() -> None:
    frame = raw().drop(columns="stage")
    with pytest.raises(
        ValueError,
        match=r"no column 'stage', which ingestion.clinical_columns.stage names; it has cancer_type, "
        r"OS.*or set it to null",
    ):
        harmonise_clinical(frame, COLUMNS)
    clinical, _ = harmonise_clinical(frame, ClinicalColumns(stage=None, age="age", sex="sex"))
    assert clinical["stage"].isna().all()


def test_patients_without_a_cancer_type_are_left_out_and_counted() -> None:
    clinical, report = harmonise_clinical(raw(cancer_type=["ACC", None, "UCS"]), COLUMNS)
    assert list(clinical.index) == ["TCGA-AA-0002", "TCGA-BB-0001"]
    assert report.to_numpy().tolist()[0] == ["cancer_type", "missing", 1, ""]
    with pytest.raises(ValueError, match="No patient has a cancer type"):
        harmonise_clinical(raw(cancer_type=[None, None, None]), COLUMNS)


def test_plain_names_are_patients() -> None:
    clinical, _ = harmonise_clinical(raw().set_axis(["c", "a", "b"]), COLUMNS, scheme="plain")
    assert list(clinical.index) == ["a", "b", "c"]
