from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.raw_modality import MatrixDataset, TitanDataset


def write_slide(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["features"] = np.arange(4.0)


@pytest.mark.parametrize("orientation", ["features_by_samples", "samples_by_features"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz", ".parquet"])
def test_the_names_of_samples_are_those_of_the_rows_that_are_read(
    tmp_path: Path, orientation: str, suffix: str
) -> None:
    samples = pd.DataFrame([[1, 2, 3], [4, 5, 6]], index=["p1", "p2"], columns=["g1", "g2", "g3"])
    table = samples if orientation == "samples_by_features" else samples.T
    path = tmp_path / f"rna{suffix}"
    if suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, sep="," if suffix == ".csv" else "\t")
    raw = MatrixDataset(filepath=str(path), orientation=orientation).load()
    assert list(raw.names()) == ["p1", "p2"]
    read = raw.read()
    assert list(read.index) == list(raw.names())
    np.testing.assert_array_equal(read.to_numpy(), samples.to_numpy())


def test_names_of_a_matrix_are_read_although_its_values_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "rna.tsv"
    path.write_text("gene\tp1\tp2\nTP53\t1\tmuch\n")
    raw = MatrixDataset(filepath=str(path)).load()
    assert list(raw.names()) == ["p1", "p2"]
    with pytest.raises(DatasetError, match="text instead of a number at row 'TP53', column 'p2'"):
        raw.read()


def test_columns_that_describe_features_are_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "rna.parquet"
    table = pd.DataFrame(
        {"Hugo_Symbol": ["A", "B"], "Entrez_Gene_Id": [7, 9], "p1": [1.5, 2.5], "p2": [3.0, 4.0]}
    )
    table.to_parquet(path, index=False)
    raw = MatrixDataset(filepath=str(path)).load()
    assert list(raw.names()) == list(raw.read().index) == ["p1", "p2"]


def test_slides_are_named_without_being_opened(tmp_path: Path) -> None:
    (tmp_path / "P1_a.h5").write_bytes(b"no HDF5")
    write_slide(tmp_path / "P1_b.h5")
    raw = TitanDataset(folder=str(tmp_path), width=4, patient_pattern="(P[0-9]+)_.*").load()
    assert list(raw.names()) == ["P1"]
    with pytest.raises(DatasetError, match=r"P1_a\.h5"):
        raw.read()


def test_slides_whose_name_is_no_patient_are_told_from_the_names_alone(tmp_path: Path) -> None:
    write_slide(tmp_path / "P1_a.h5")
    write_slide(tmp_path / "slide 7.h5")
    strict = TitanDataset(folder=str(tmp_path), width=4, patient_pattern="(P[0-9]+)_.*").load()
    with pytest.raises(DatasetError, match=r"slide 7\.h5 \(the name does not match"):
        strict.names()
    lenient = TitanDataset(
        folder=str(tmp_path), width=4, patient_pattern="(P[0-9]+)_.*", skip_bad=True
    ).load()
    assert list(lenient.names()) == list(lenient.read().index) == ["P1"]
    (tmp_path / "P1_a.h5").unlink()
    with pytest.raises(DatasetError, match=r"holds no usable \.h5 file"):
        lenient.names()


def test_an_absent_file_is_named_with_the_hint(tmp_path: Path) -> None:
    raw = MatrixDataset(filepath=str(tmp_path / "absent.tsv"), hint="Set the folder.").load()
    for read in (raw.names, raw.read):
        with pytest.raises(DatasetError, match=r"absent.tsv does not exist. Set the folder."):
            read()


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (MatrixDataset, {"filepath": "x.tsv", "orientation": "rows"}, "orientation is 'rows'"),
        (TitanDataset, {"folder": "x", "patient_pattern": "P[0-9"}, "is no regular expression"),
        (TitanDataset, {"folder": "x", "patient_pattern": "P[0-9]+"}, "needs a group"),
    ],
)
def test_a_bad_entry_names_the_key(kind, settings: dict[str, str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        kind(**settings)


def test_raw_data_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="read-only"):
        TitanDataset(folder=str(tmp_path)).save("anything")  # type: ignore[arg-type]


def test_relative_paths_start_at_the_root_of_the_project(
    repo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo_root / "notebooks")
    with pytest.raises(DatasetError, match=rf"{repo_root}/data/none does not exist"):
        TitanDataset(folder="data/none").load().read()


def test_a_folder_named_by_a_date_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_slide(tmp_path / "20240115/p1.h5")
    assert TitanDataset(folder=20240115, width=4).load().read().shape == (1, 4)  # type: ignore[arg-type]


def test_raw_files_are_known_by_what_they_are_and_not_by_where_they_lie(tmp_path):
    def files(folder):
        (folder / "slides" / "deep").mkdir(parents=True)
        (folder / "rna.tsv").write_text("g\ts\na\t1\n")
        for name in ("b.h5", "deep/a.h5"):
            (folder / "slides" / name).write_bytes(b"")
        matrix = MatrixDataset(filepath=str(folder / "rna.tsv"))
        absent = MatrixDataset(filepath=str(folder / "absent.tsv"))
        assert absent.raw_files() == {}
        return {**matrix.raw_files(), **TitanDataset(folder=str(folder / "slides")).raw_files()}

    first, second = files(tmp_path / "first"), files(tmp_path / "second")
    assert set(first) == set(second) == {"rna.tsv", "b.h5", "a.h5"}
    assert first["a.h5"] == tmp_path / "first" / "slides" / "deep" / "a.h5"
