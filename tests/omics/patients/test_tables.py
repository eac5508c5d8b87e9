import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.omics.patients.tables import check_overlap, count_patients, tabulate_patients

TYPES = pd.Series({"TCGA-AA-0001": "BRCA", "TCGA-AA-0002": "BRCA", "TCGA-BB-0001": "SKCM"})


def samples(rows: dict[str, list[float]], dtype: type = np.float32) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=["g1", "g2"], dtype=dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_table_has_one_sorted_float32_row_a_patient(dtype: type) -> None:
    table, report = tabulate_patients(
        samples(
            {
                "TCGA-BB-0001-06A": [1, np.nan],
                "TCGA-AA-0002-01B": [9, 9],
                "TCGA-AA-0002-01A": [3, 4],
                "TCGA-AA-0001-11A": [5, 6],
                "TCGA-AA-0001-01A": [7, 8],
            },
            dtype,
        ),
        TYPES,
        BarcodeRule(),
        "rnaseq",
    )
    expected = pd.DataFrame(
        [[7, 8], [3, 4], [1, np.nan]],
        index=pd.Index(["TCGA-AA-0001", "TCGA-AA-0002", "TCGA-BB-0001"], name="patient_id"),
        columns=["g1", "g2"],
        dtype=np.float32,
    )
    pd.testing.assert_frame_equal(table, expected)
    assert report.to_numpy().tolist() == [
        ["rnaseq", "samples found", 5, ""],
        ["rnaseq", "later vial or aliquot of a patient", 1, "TCGA-AA-0002-01B"],
        ["rnaseq", "normal or control sample", 1, "TCGA-AA-0001-11A"],
        ["rnaseq", "patients kept", 3, ""],
    ]


def test_slides_of_a_patient_are_averaged() -> None:
    table, report = tabulate_patients(
        samples(
            {
                "TCGA-AA-0001-01Z-00-DX1.A": [1, 10],
                "TCGA-AA-0002-01Z-00-DX1.B": [5, 50],
                "TCGA-AA-0001-01Z-00-DX2.C": [4, 40],
            }
        ),
        TYPES,
        BarcodeRule(),
        "wsi",
    )
    assert table.loc["TCGA-AA-0001"].tolist() == [2.5, 25]
    assert table.loc["TCGA-AA-0002"].tolist() == [5, 50]
    assert table.index.name == "patient_id"
    assert (table.dtypes == np.float32).all()
    assert report["n"].tolist() == [3, 2, 2]
    assert report["reason"][1] == "slides averaged with others of their patient"


def test_a_patient_without_any_value_is_left_out_and_counted() -> None:
    table, report = tabulate_patients(
        samples({"TCGA-AA-0001": [np.nan, np.nan], "TCGA-AA-0002": [np.nan, 1]}),
        TYPES,
        BarcodeRule(),
        "cna",
    )
    assert list(table.index) == ["TCGA-AA-0002"]
    assert ["cna", "patient without any value", 1, "TCGA-AA-0001"] in report.to_numpy().tolist()


def test_a_table_without_any_value_is_an_error_that_names_the_modality() -> None:
    with pytest.raises(ValueError, match="Modality 'cna' has no patient with any value: 1 samples"):
        tabulate_patients(samples({"TCGA-AA-0001": [np.nan] * 2}), TYPES, BarcodeRule(), "cna")
    with pytest.raises(ValueError, match=r"Modality 'cna' .* 1 samples were found, 1 dropped"):
        tabulate_patients(samples({"TCGA-AA-0001-11A": [1, 2]}), TYPES, BarcodeRule(), "cna")


def test_errors_about_barcodes_name_the_modality() -> None:
    with pytest.raises(ValueError, match="Modality 'rppa': 1 of 1 sample names are not TCGA"):
        tabulate_patients(samples({"TP53": [1, 2]}), TYPES, BarcodeRule(), "rppa")


def test_the_raw_matrix_is_left_as_it_was() -> None:
    frame = samples({"TCGA-AA-0002": [3, 4], "TCGA-AA-0001": [1, 2]})
    before = frame.copy()
    table, _ = tabulate_patients(frame, TYPES, BarcodeRule(), "cna")
    table.iloc[0, 0] = 100
    pd.testing.assert_frame_equal(frame, before)


def test_a_modality_that_shares_no_patient_with_any_other_is_named() -> None:
    patients = {
        "cna": pd.Index(["a", "b"]),
        "rppa": pd.Index(["x", "y"]),
        "wsi": pd.Index(["b", "c"]),
    }
    with pytest.raises(
        ValueError,
        match=r"No patient of modality 'rppa' \(such as x, y\) is in any other modality \(such as a, b\)",
    ):
        check_overlap(patients)
    check_overlap({"cna": pd.Index(["a"]), "rppa": pd.Index(["a", "y"])})


def test_patients_are_counted_by_cancer_type_and_modality() -> None:
    types = pd.Series({"a": "X", "b": "X", "c": "X", "d": "Y", "e": "Y", "unused": "Z"})
    table = count_patients(
        {"cna": pd.Index(["e", "a", "b"]), "wsi": pd.Index(["a", "c", "d"])}, types
    )
    assert table.columns.tolist() == [
        "cancer_type",
        "total",
        "cna",
        "wsi",
        "complete",
        "incomplete",
    ]
    assert table.to_numpy().tolist() == [
        ["X", 3, 2, 2, 1, 2],
        ["Y", 2, 1, 1, 0, 2],
        ["TOTAL", 5, 3, 3, 1, 4],
    ]


def test_rows_that_count_reads_of_no_gene_are_left_out_and_reported() -> None:
    frame = samples({"TCGA-AA-0001": [1, 2], "TCGA-AA-0002": [3, 4]})
    frame.columns = pd.Index(["N_unmapped", "ENSG1"])
    table, report = tabulate_patients(frame, TYPES, BarcodeRule(), "rnaseq")
    assert list(table.columns) == ["ENSG1"]
    line = ["rnaseq", "features that count reads of no gene", 1, "N_unmapped"]
    assert line in report.to_numpy().tolist()


def test_a_value_that_marks_missing_ones_is_refused() -> None:
    patients = [f"P{number}" for number in range(20)]
    values = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    values[np.arange(12), np.arange(12) % 4] = -999
    frame = pd.DataFrame(values, index=patients, columns=list("abcde"))
    types = pd.Series("X", index=patients)
    with pytest.raises(
        ValueError,
        match=r"'rppa': the value -999 stands in 12 cells of 4 features, such as a, b, c.*cells empty",
    ):
        tabulate_patients(frame, types, BarcodeRule(scheme="plain"), "rppa")


def test_a_matrix_of_plain_names_read_the_wrong_way_round_names_the_orientation() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], index=["1433BETA"], columns=["P1", "P2"])
    types = pd.Series({"P1": "X", "P2": "X"})
    with pytest.raises(ValueError, match=r"called like patients, such as P1, P2: .*`orientation`"):
        tabulate_patients(frame, types, BarcodeRule(scheme="plain"), "rppa")


def test_slides_named_by_more_than_their_patient_name_the_pattern() -> None:
    frame = pd.DataFrame([[1.0], [2.0]], index=["P001_A", "P001_B"], columns=["titan_000"])
    with pytest.raises(ValueError, match=r"such as P001_A begin with .*`patient_pattern`"):
        tabulate_patients(frame, pd.Series({"P001": "X"}), BarcodeRule(scheme="plain"), "wsi")


def test_a_table_can_be_made_in_the_memory_of_the_samples() -> None:
    rows = {
        "TCGA-BB-0001-01A": [1, 2],
        "TCGA-AA-0002-11A": [9, 9],
        "TCGA-AA-0002-01A": [3, 4],
        "TCGA-AA-0001-01A": [7, 8],
    }
    elsewhere, report = tabulate_patients(samples(rows), TYPES, BarcodeRule(), "rnaseq")
    given = samples(rows)
    table, same_report = tabulate_patients(given, TYPES, BarcodeRule(), "rnaseq", overwrite=True)
    assert table.to_numpy().tolist() == [[7, 8], [3, 4], [1, 2]]
    pd.testing.assert_frame_equal(table, elsewhere)
    pd.testing.assert_frame_equal(same_report, report)
    assert np.shares_memory(table.to_numpy(), given.to_numpy())
