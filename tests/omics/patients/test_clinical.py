import logging

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.patients.clinical import (
    ClinicalColumns,
    cancer_types_of,
    harmonise_clinical,
    reduce_stage,
)

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


def lines_of(report: pd.DataFrame, column: str) -> list[list[object]]:
    rows = report[(report["column"] == column) & (report["problem"] != "missing")]
    return rows[["problem", "n", "examples"]].to_numpy().tolist()


def test_deaths_coded_one_and_two_are_refused_with_the_way_to_recode() -> None:
    for values in ([1, 2, 2], ["1", "2.0", None]):
        with pytest.raises(
            ValueError, match=r"'OS', which .*os_event names, holds 1 .* and 2 .*subtract 1"
        ):
            harmonise_clinical(raw(OS=values), COLUMNS)


def test_words_for_dead_and_alive_are_read_and_said() -> None:
    clinical, report = harmonise_clinical(raw(OS=["Dead", "Alive", "0:LIVING"]), COLUMNS)
    assert clinical["os_event"].to_dict() == {
        "TCGA-AA-0001": 0,
        "TCGA-AA-0002": 1,
        "TCGA-BB-0001": 0,
    }
    assert lines_of(report, "os_event")[0][:2] == ["words for dead and alive, read as 1 and 0", 3]


def test_endless_survival_is_missing() -> None:
    clinical, report = harmonise_clinical(raw(**{"OS.time": [np.inf, 1e30, 36_000]}), COLUMNS)
    assert clinical["os_days"].dropna().tolist() == [36_000]
    assert lines_of(report, "os_days") == [
        ["survival time of more than 100 years, set to missing", 2, "1e+30, inf"]
    ]


def many(n: int, **columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"cancer_type": "ACC", "stage": None, "OS": 0, "OS.time": None, "age": None, "sex": None}
        | columns,
        index=[f"P{number:03d}" for number in range(n)],
    )


def test_survival_in_months_is_doubted_and_in_days_is_not(caplog: pytest.LogCaptureFixture) -> None:
    # Exponential with a mean of three years.
    days = -3 * 365.25 * np.log(1 - (np.arange(100) + 0.5) / 100)
    _, report = harmonise_clinical(many(100, **{"OS.time": days}), COLUMNS, "plain")
    assert lines_of(report, "os_days") == []
    caplog.clear()
    clinical, report = harmonise_clinical(
        many(100, **{"OS.time": days / 30.4375}), COLUMNS, "plain"
    )
    assert clinical["os_days"].notna().all()
    assert lines_of(report, "os_days")[0][:2] == [
        "nearly all below a year: are they months or years, where days are needed?",
        100,
    ]
    assert "are they months or years" in caplog.text


def test_ages_in_days_become_years() -> None:
    clinical, report = harmonise_clinical(raw(age=[365.25 * 50, "14610", None]), COLUMNS)
    assert clinical["age"].dropna().to_dict() == {"TCGA-AA-0002": 50, "TCGA-AA-0001": 40}
    assert lines_of(report, "age")[0][:2] == ["in days, divided by 365.25", 2]


def test_stages_that_gaps_turned_into_floats_are_read() -> None:
    clinical, report = harmonise_clinical(raw(stage=[1.0, 4.0, np.nan]), COLUMNS)
    assert clinical["stage"].to_dict() == {
        "TCGA-AA-0001": "IV",
        "TCGA-AA-0002": "I",
        "TCGA-BB-0001": None,
    }
    assert lines_of(report, "stage") == []


def test_a_cancer_type_has_one_spelling() -> None:
    types = ["STAD", "STAD ", "stad", "TCGA-STAD", "STAD", "TCGA-SKCM", "SKCM"]
    clinical, report = harmonise_clinical(many(7, cancer_type=types), COLUMNS, "plain")
    assert clinical["cancer_type"].tolist() == ["STAD"] * 5 + ["SKCM"] * 2
    assert lines_of(report, "cancer_type") == [
        ["read without the prefix TCGA- of a project", 2, "TCGA-STAD, TCGA-SKCM"],
        ["spelt in several ways, read as the most frequent one", 2, "STAD , stad"],
    ]


@pytest.mark.parametrize("nothing", ["NA", "nan", "None", " ", "'--", "N/A"])
def test_a_text_for_nothing_is_no_cancer_type(nothing: str) -> None:
    clinical, report = harmonise_clinical(raw(cancer_type=["ACC", nothing, "UCS"]), COLUMNS)
    assert clinical["cancer_type"].tolist() == ["ACC", "UCS"]
    assert report.to_numpy().tolist()[0] == ["cancer_type", "missing", 1, ""]


def test_rows_of_a_patient_that_contradict_each_other_are_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = raw().set_axis(["TCGA-AA-0001-01A", "TCGA-AA-0001-11A", "TCGA-BB-0001-01A"])
    clinical, report = harmonise_clinical(frame, COLUMNS)
    assert clinical.loc["TCGA-AA-0001", ["os_event", "os_days", "age"]].tolist() == [1, 100, 50]
    what = ["patients with several values, the first taken", 1, "TCGA-AA-0001"]
    for column in ("os_event", "os_days", "age", "sex"):
        assert lines_of(report, column) == [what]
    assert "clinical os_days: 1 values patients with several values" in caplog.text


def test_names_that_are_not_understood_are_said_to_be_of_the_clinical_table() -> None:
    with pytest.raises(ValueError, match=r"^The clinical table: 3 of 3 .*`id_column`"):
        harmonise_clinical(raw().set_axis(["a", "b", "c"]), COLUMNS)


def test_a_clinical_table_that_lost_its_cancer_types_is_named() -> None:
    clinical, _ = harmonise_clinical(raw(), COLUMNS)
    assert cancer_types_of(clinical).tolist() == ["ACC", "ACC", "UCS"]
    with pytest.raises(ValueError, match=r"`clinical` has no column 'cancer_type'; it has stage"):
        cancer_types_of(clinical.drop(columns="cancer_type"))


def test_times_of_the_dead_alone_are_reported() -> None:
    _, report = harmonise_clinical(raw(**{"OS.time": [100, None, None]}), COLUMNS)
    assert lines_of(report, "os_days") == [
        [
            "missing for all who are alive: it must hold their days to last follow-up",
            2,
            "TCGA-AA-0001, TCGA-BB-0001",
        ]
    ]
