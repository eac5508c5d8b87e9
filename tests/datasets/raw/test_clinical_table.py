import gzip
from pathlib import Path

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.clinical_table import ClinicalTableDataset, read_clinical_table


def test_text_cells_stay_text_and_empty_ones_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "clinical.tsv.gz"
    path.write_bytes(gzip.compress(b"sample\tstage\tOS.time\na\tStage I\t12\nb\t\tNA\n"))
    frame = read_clinical_table(path)
    assert frame.loc["a"].tolist() == ["Stage I", "12"]
    assert frame.loc["b"].isna().all()
    assert frame.index.name == "sample"


def test_the_dataset_reads_parquet_with_and_without_an_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"OS": [1.0, 0.0]}, index=pd.Index(["a", "b"], name="patient_id"))
    frame.to_parquet(tmp_path / "with.parquet")
    frame.reset_index().to_parquet(tmp_path / "without.parquet", index=False)
    for name in ("with", "without"):
        loaded = ClinicalTableDataset(filepath=str(tmp_path / f"{name}.parquet")).load()
        pd.testing.assert_frame_equal(loaded, frame.rename_axis(index="sample"))


def test_an_absent_file_is_named_with_the_hint(tmp_path: Path) -> None:
    dataset = ClinicalTableDataset(
        filepath=str(tmp_path / "clinical.parquet"), hint="Set --params cohort_dir=FOLDER."
    )
    with pytest.raises(
        DatasetError, match=r"clinical.parquet does not exist. Set --params cohort_dir=FOLDER\."
    ):
        dataset.load()


def test_tables_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "clinical.tsv"
    path.write_text("sample\tOS\na\t1\nb\t0\textra\tcells\n")
    with pytest.raises(DatasetError, match=rf"{path} is not a table"):
        read_clinical_table(path)
    path.write_text("sample\tOS\tOS\na\t1\t0\n")
    with pytest.raises(DatasetError, match=rf"{path} has two columns 'OS'"):
        read_clinical_table(path)
    path.write_text("<html>gone</html>")
    with pytest.raises(DatasetError, match=rf"{path} is an HTML page"):
        read_clinical_table(path)


def test_the_column_of_barcodes_names_patients_wherever_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.DataFrame(
        {"case_id": ["0a-11", "0b-22"], "type": ["X", "X"], "submitter": ["TCGA-AA-0001"] * 2}
    )
    frame.to_csv(tmp_path / "clinical.tsv", sep="\t", index=False)
    frame.to_parquet(tmp_path / "clinical.parquet", index=False)
    for name in ("clinical.tsv", "clinical.parquet"):
        caplog.clear()
        found = read_clinical_table(tmp_path / name)
        assert list(found.index) == ["TCGA-AA-0001"] * 2
        assert list(found.columns) == ["case_id", "type"]
        assert "patients are named by column 'submitter'; `id_column`" in caplog.text
    chosen = read_clinical_table(tmp_path / "clinical.tsv", id_column="case_id")
    assert list(chosen.index) == ["0a-11", "0b-22"]
    with pytest.raises(DatasetError, match=r"has no column 'pid', which `id_column` .* submitter"):
        read_clinical_table(tmp_path / "clinical.tsv", id_column="pid")


def test_a_parquet_table_whose_first_column_is_the_cancer_type_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"cancer_type": ["X", "X", "Y"], "patient_id": ["p1", "p2", "p3"]})
    frame.to_parquet(tmp_path / "clinical.parquet", index=False)
    found = read_clinical_table(tmp_path / "clinical.parquet")
    assert found["cancer_type"].to_dict() == {"p1": "X", "p2": "X", "p3": "Y"}


def test_levels_of_an_index_become_columns(tmp_path: Path) -> None:
    index = pd.MultiIndex.from_tuples([("X", "p1"), ("X", "p2")], names=["type", "patient"])
    pd.DataFrame({"OS": [1, 0]}, index=index).to_parquet(tmp_path / "clinical.parquet")
    found = read_clinical_table(tmp_path / "clinical.parquet")
    assert list(found.index) == ["p1", "p2"]
    assert found["type"].tolist() == ["X", "X"]


def test_row_numbers_of_an_export_name_nobody(tmp_path: Path) -> None:
    (tmp_path / "clinical.csv").write_text(",pid,type\n0,p1,X\n1,p2,X\n")
    assert list(read_clinical_table(tmp_path / "clinical.csv").index) == ["p1", "p2"]


def test_an_open_quotation_mark_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "clinical.tsv"
    for closing in ('p5\tX\tsee above"\n', 'p5\tX\t"see above\n', "p5\tX\tb\n"):
        path.write_text(f'id\ttype\tnote\np1\tX\ta\np2\tX\t"margin\np3\tX\tb\np4\tX\tb\n{closing}')
        with pytest.raises(DatasetError, match=rf"{path}.* line 3"):
            read_clinical_table(path)
    path.write_text('id\ttype\tnote\np1\tX\t"two\nlines"\np2\tX\tb\n')
    assert read_clinical_table(path).loc["p1", "note"] == "two\nlines"


def test_rows_shifted_by_a_separator_at_their_ends_are_refused(tmp_path: Path) -> None:
    (tmp_path / "clinical.tsv").write_text("id\tOS\np1\t1\t\np2\t0\t\n")
    with pytest.raises(DatasetError, match="every row ends in an empty cell"):
        read_clinical_table(tmp_path / "clinical.tsv")


def test_further_header_rows_and_comments_of_gdc_and_cbioportal_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "clinical.txt"
    path.write_text(
        "#Patient\tSex\n#STRING\tSTRING\nbcr_patient_barcode\tgender\nbcr_patient_barcode\tgender\n"
        "CDE_ID:1\tCDE_ID:2\nTCGA-AA-0001\t'--\nTCGA-AA-0002\tMALE\n\n"
    )
    found = read_clinical_table(path)
    assert list(found.index) == ["TCGA-AA-0001", "TCGA-AA-0002"]
    assert found["gender"].isna().tolist() == [True, False]


def test_short_rows_are_filled_with_a_warning_and_nameless_ones_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "clinical.csv"
    path.write_text("id,OS,age\np1,1\np2,0,50\n")
    assert read_clinical_table(path)["age"].isna().tolist() == [True, False]
    assert "1 rows have fewer cells than the header, such as that of line 2" in caplog.text
    path.write_text("id,OS\np1,1\n,0\n")
    with pytest.raises(DatasetError, match=r"row number 2 has no patient or sample name"):
        read_clinical_table(path)
