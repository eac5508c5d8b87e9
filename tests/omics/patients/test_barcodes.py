import pandas as pd
import pytest

from tcga_coherent.omics.patients.barcodes import (
    BarcodeRule,
    assign_patients,
    match_spellings,
    parse_barcodes,
)

UUID = "600C7D8C-F04C-4125-AF14-B1E76DC01A1E"
TYPES = pd.Series({"TCGA-AA-0001": "BRCA", "TCGA-AA-0002": "SKCM", "TCGA-AA-0003": "SKCM"})


def assign(*barcodes: str, **settings: object) -> tuple[dict[str, str], dict[str, tuple[int, str]]]:
    rule = BarcodeRule(**settings)  # type: ignore[arg-type]
    kept, dropped = assign_patients(pd.Index(barcodes), TYPES, rule)
    return kept.to_dict(), {
        reason: (n, examples) for reason, n, examples in dropped.itertuples(index=False, name=None)
    }


@pytest.mark.parametrize(
    ("barcode", "sample_type", "is_slide"),
    [
        ("TCGA-OR-A5J1", "", False),
        ("TCGA-OR-A5J1-01", "01", False),
        ("TCGA-OR-A5J1-01A", "01", False),
        ("TCGA-OR-A5J1-11A-11R-A32Z-07", "11", False),
        (f"TCGA-OR-A5J1-01Z-00-DX1.{UUID}", "01", True),
        (f"TCGA-OR-A5J1-06A-01-TS1.{UUID}", "06", True),
    ],
)
def test_a_barcode_is_split_into_its_parts(barcode: str, sample_type: str, is_slide: bool) -> None:
    parts = parse_barcodes(pd.Index([barcode]), "tcga").loc[barcode]
    assert parts.tolist() == ["TCGA-OR-A5J1", sample_type, is_slide]


def test_primary_tumours_are_kept_and_normal_samples_dropped() -> None:
    kept, dropped = assign("TCGA-AA-0001-01A", "TCGA-AA-0001-11A", "TCGA-AA-0002-20A")
    assert kept == {"TCGA-AA-0001-01A": "TCGA-AA-0001"}
    assert dropped == {"normal or control sample": (2, "TCGA-AA-0001-11A, TCGA-AA-0002-20A")}


def test_a_metastasis_counts_for_melanoma_without_a_primary_tumour_only() -> None:
    kept, dropped = assign(
        "TCGA-AA-0001-06A",  # breast cancer
        "TCGA-AA-0002-01A",  # melanoma with both
        "TCGA-AA-0002-06A",
        "TCGA-AA-0003-06A",  # melanoma with a metastasis only
    )
    assert kept == {"TCGA-AA-0002-01A": "TCGA-AA-0002", "TCGA-AA-0003-06A": "TCGA-AA-0003"}
    assert dropped == {
        "metastasis beside a primary tumour": (1, "TCGA-AA-0002-06A"),
        "metastasis of a cancer type of which only primary tumours are taken": (
            1,
            "TCGA-AA-0001-06A",
        ),
    }
    assert assign("TCGA-AA-0003-06A", metastatic_types=())[0] == {}


def test_recurrent_tumours_are_dropped_with_their_type() -> None:
    kept, dropped = assign("TCGA-AA-0001-02A")
    assert kept == {}
    assert dropped == {"sample type 02 is not a primary tumour": (1, "TCGA-AA-0001-02A")}


def test_the_first_vial_wins_whatever_the_order_of_the_file() -> None:
    kept, dropped = assign("TCGA-AA-0001-01B", "TCGA-AA-0001-01A-12R", "TCGA-AA-0001-01A-11R")
    assert kept == {"TCGA-AA-0001-01A-11R": "TCGA-AA-0001"}
    assert dropped["later vial or aliquot of a patient"][0] == 2


def test_all_slides_of_the_primary_tumour_are_kept() -> None:
    slides = [
        "TCGA-AA-0002-01Z-00-DX1.A",
        "TCGA-AA-0002-01Z-00-DX2.B",
        "TCGA-AA-0002-01A-01-TS1.C",
    ]
    kept, dropped = assign(*slides, "TCGA-AA-0002-06A-00-DX1.D", "TCGA-AA-0002-11A-01-TS1.E")
    assert set(kept) == set(slides)
    assert {reason: n for reason, (n, _) in dropped.items()} == {
        "metastasis beside a primary tumour": 1,
        "normal or control sample": 1,
    }


def test_patient_barcodes_pass_through() -> None:
    assert assign("TCGA-AA-0002", "TCGA-AA-0001") == (
        {"TCGA-AA-0001": "TCGA-AA-0001", "TCGA-AA-0002": "TCGA-AA-0002"},
        {},
    )


def test_names_that_are_not_tcga_barcodes_are_an_error_that_says_how_to_take_them() -> None:
    with pytest.raises(
        ValueError,
        match=r"1 of 2 sample names are not TCGA barcodes, such as P1: .*scheme to plain",
    ):
        assign("P1", "TCGA-AA-0001")
    kept, _ = assign_patients(
        pd.Index(["P2", "P1"]), pd.Series({"P1": "X", "P2": "X"}), BarcodeRule(scheme="plain")
    )
    assert kept.to_dict() == {"P1": "P1", "P2": "P2"}


def test_a_patient_without_a_cancer_type_is_an_error_or_dropped_when_asked() -> None:
    with pytest.raises(
        ValueError,
        match=r"1 patients have no cancer type in the clinical table, such as TCGA-ZZ-0009",
    ):
        assign("TCGA-ZZ-0009-01A", "TCGA-AA-0001-01A")
    kept, dropped = assign("TCGA-ZZ-0009-01A", "TCGA-AA-0001-01A", unknown_patients="drop")
    assert set(kept) == {"TCGA-AA-0001-01A"}
    assert dropped == {
        "patient without a cancer type in the clinical table": (1, "TCGA-ZZ-0009-01A")
    }


def test_a_dropped_sample_needs_no_cancer_type() -> None:
    assert assign("TCGA-ZZ-0009-11A")[0] == {}


@pytest.mark.parametrize(
    "barcode",
    ["TCGA.AA.0001.01A", "tcga-aa-0001-01a", " TCGA-AA-0001-01A  ", "TCGA_AA_0001_01A.11R.A32Z"],
)
def test_dots_lower_case_and_blanks_do_not_hide_a_barcode(barcode: str) -> None:
    parts = parse_barcodes(pd.Index([barcode]), "tcga").loc[barcode]
    assert parts.tolist() == ["TCGA-AA-0001", "01", False]


def test_barcodes_of_a_cohort_that_were_corrected_have_a_line_in_the_report() -> None:
    kept, dropped = assign("tcga.aa.0001.01A", "TCGA-AA-0002-01A", "TCGA-AA-0003-01A ")
    assert kept == {
        "tcga.aa.0001.01A": "TCGA-AA-0001",
        "TCGA-AA-0002-01A": "TCGA-AA-0002",
        "TCGA-AA-0003-01A ": "TCGA-AA-0003",
    }
    assert dropped == {
        "read in spite of dots, lower case or blanks in their names": (
            2,
            "TCGA-AA-0003-01A , tcga.aa.0001.01A",
        )
    }


def test_names_of_two_files_that_differ_in_spelling_are_matched_unless_one_file_has_both() -> None:
    first = ["007", "Anna K", "p1", "P1", "X5"]
    second = ["7", "anna.k ", "P1", "5", "X5a"]
    assert match_spellings({"a": first, "b": second}) == {
        "7": "007",
        "anna.k ": "Anna K",
        "5": "X5",
    }
