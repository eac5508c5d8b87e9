from pathlib import Path

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.new_patients import NewPatientsDataset


def test_every_matrix_is_read_when_it_is_called(tmp_path: Path) -> None:
    matrix = pd.DataFrame({"Anna": [1.0, 2.0]}, index=["g1", "g2"])
    matrix.to_parquet(tmp_path / "cna.parquet")
    (tmp_path / "rppa.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "notes.txt").write_text("not a matrix")
    loaders = NewPatientsDataset(folder=str(tmp_path)).load()
    assert list(loaders) == ["cna", "rppa"]
    pd.testing.assert_frame_equal(loaders["cna"](), matrix)
    with pytest.raises(
        DatasetError, match=r"rppa\.parquet is truncated or not parquet .*: copy it again"
    ):
        loaders["rppa"]()


def test_a_folder_without_matrices_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "cna.tsv").write_text("g\tAnna\n")
    for folder, what in ((tmp_path, "holds no .parquet file"), (tmp_path / "x", "does not exist")):
        with pytest.raises(
            DatasetError, match=rf"{folder} {what}: .*--params completion\.input_dir=FOLDER"
        ):
            NewPatientsDataset(folder=str(folder)).load()


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
    assert list(NewPatientsDataset(folder="in").load()) == ["cna"]
