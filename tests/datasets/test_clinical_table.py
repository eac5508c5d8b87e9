import gzip
from pathlib import Path

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.clinical_table import ClinicalTableDataset, read_clinical_table


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
