from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.new_patients import NewPatientsDataset


def test_every_matrix_is_read_when_it_is_called(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    matrix = pd.DataFrame({"Anna": [1.0, 2.0]}, index=["g1", "g2"])
    matrix.to_parquet(tmp_path / "cna.parquet")
    matrix.to_csv(tmp_path / "rnaseq.tsv.gz", sep="\t")
    (tmp_path / "rppa.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "figure.png").write_text("not a matrix")
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "wsi").mkdir()
    with h5py.File(tmp_path / "wsi/Anna.h5", "w") as slide:
        slide["features"] = np.arange(4, dtype=np.float32)
    loaders = NewPatientsDataset(folder=str(tmp_path), width=4).load()
    assert list(loaders) == ["cna.parquet", "rnaseq.tsv.gz", "rppa.parquet", "wsi"]
    assert "NOT read: figure.png" in caplog.text
    for name in ("cna.parquet", "rnaseq.tsv.gz"):
        pd.testing.assert_frame_equal(loaders[name](), matrix, check_dtype=False)
    assert loaders["wsi"]().loc["Anna"].tolist() == [0, 1, 2, 3]
    with pytest.raises(
        DatasetError, match=r"rppa\.parquet is truncated or not parquet.*: copy it again"
    ):
        loaders["rppa.parquet"]()


def test_a_clinical_table_keeps_its_words(tmp_path: Path) -> None:
    table = pd.DataFrame({"sex": ["female"], "age": [50]}, index=["Anna"])
    table.to_csv(tmp_path / "clinical.tsv", sep="\t")
    loaders = NewPatientsDataset(folder=str(tmp_path)).load()
    found = loaders["clinical.tsv"]()
    assert found.loc["Anna"].tolist() == ["female", "50"]


def test_patients_numbered_in_the_first_column_are_named_by_these_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"patient_id": [104, 101], "g1": [0.5, 1.5], "g2": [2.5, 3.5]})
    frame.to_parquet(tmp_path / "cna.parquet", index=False)
    found = NewPatientsDataset(folder=str(tmp_path)).load()["cna.parquet"]()
    assert found.loc["101"].tolist() == [1.5, 3.5]
    assert list(found.columns) == ["g1", "g2"]


def test_integer_names_of_features_are_read_as_texts(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Anna": [0.5, 1.5, 2.5]}, index=[1, 11, 21])
    frame.to_parquet(tmp_path / "cna.parquet")
    found = NewPatientsDataset(folder=str(tmp_path)).load()["cna.parquet"]()
    assert list(found.index) == ["1", "11", "21"]


def test_a_folder_without_matrices_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "cna.xlsx").write_text("")
    for folder, what in (
        (tmp_path, "holds no matrix"),
        (tmp_path / "x", "does not exist"),
        (tmp_path / "cna.xlsx", "is a file"),
    ):
        with pytest.raises(
            DatasetError, match=rf"{folder} {what}: .*--params completion\.input_dir=FOLDER"
        ):
            NewPatientsDataset(folder=str(folder)).load()


def test_names_that_stand_twice_are_named_without_a_word_of_the_catalog(tmp_path: Path) -> None:
    matrix = pd.DataFrame({"Anna": [1.0, 2.0]}, index=["g1", "g1"])
    matrix.to_parquet(tmp_path / "cna.parquet")
    with pytest.raises(
        DatasetError, match=r"duplicate names in its rows: 'g1'\. Keep one of each\."
    ):
        NewPatientsDataset(folder=str(tmp_path)).load()["cna.parquet"]()


def test_a_users_files_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is read-only"):
        NewPatientsDataset(folder=str(tmp_path)).save({})  # type: ignore[arg-type]


def test_a_relative_folder_starts_at_the_root_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.kedro]\npackage_name = "x"\n')
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "in").mkdir()
    pd.DataFrame({"Anna": [1.0]}, index=["g"]).to_parquet(tmp_path / "in/cna.parquet")
    monkeypatch.chdir(tmp_path / "notebooks")
    assert list(NewPatientsDataset(folder="in").load()) == ["cna.parquet"]
