from pathlib import Path

import h5py
import numpy as np
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.raw_modalities import RawModalitiesDataset


def test_each_modality_is_read_in_its_own_format_when_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "rna.csv").write_text("sample,g1,g2\np1,1,2\np2,3,4\n")
    (tmp_path / "titan").mkdir()
    with h5py.File(tmp_path / "titan" / "p1.h5", "w") as file:
        file["features"] = np.arange(4.0)
    dataset = RawModalitiesDataset(
        modalities={
            "rnaseq": {
                "format": "matrix",
                "filepath": str(tmp_path / "rna.csv"),
                "orientation": "samples_by_features",
            },
            "wsi": {"format": "titan", "folder": str(tmp_path / "titan"), "width": 4},
            "rppa": {"format": "matrix", "filepath": str(tmp_path / "absent.tsv")},
        },
        hint="Set the folder.",
    )
    loaders = dataset.load()
    assert list(loaders) == ["rnaseq", "wsi", "rppa"]
    assert loaders["rnaseq"]().loc["p2"].tolist() == [3, 4]
    assert loaders["wsi"]().loc["p1"].tolist() == [0, 1, 2, 3]
    with pytest.raises(DatasetError, match=r"absent.tsv does not exist. Set the folder."):
        loaders["rppa"]()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "matrix"}, r"modalities\.cna\.matrix\.filepath: Field required"),
        ({"format": "hdf"}, r"modalities\.cna: .*'hdf'"),
        (
            {"format": "matrix", "filepath": "x.tsv", "orientation": "rows"},
            r"modalities\.cna\.matrix\.orientation",
        ),
        (
            {"format": "titan", "folder": "x", "widht": 4},
            r"modalities\.cna\.titan\.widht: Unexpected keyword",
        ),
        (
            {"format": "titan", "folder": "x", "patient_pattern": "P[0-9"},
            r"modalities\.cna\.titan\.patient_pattern: .* is no regular expression",
        ),
        (
            {"format": "titan", "folder": "x", "patient_pattern": "P[0-9]+"},
            r"modalities\.cna\.titan\.patient_pattern: .* needs a group",
        ),
    ],
)
def test_a_bad_entry_names_modality_and_key(settings: dict[str, str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        RawModalitiesDataset(modalities={"cna": settings})


def test_hub_files_need_the_hub_dataset() -> None:
    dataset = RawModalitiesDataset(modalities={"cna": {"format": "xena", "kind": "protein"}})
    with pytest.raises(
        DatasetError, match=r"use tcga_coherent.datasets.raw.xena_hub.XenaHubDataset"
    ):
        dataset.load()["cna"]()


def test_raw_data_cannot_be_written() -> None:
    with pytest.raises(DatasetError, match="read-only"):
        RawModalitiesDataset(modalities={}).save("anything")  # type: ignore[arg-type]


def test_relative_paths_start_at_the_root_of_the_project(
    repo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo_root / "notebooks")
    dataset = RawModalitiesDataset(modalities={"wsi": {"format": "titan", "folder": "data/none"}})
    with pytest.raises(DatasetError, match=rf"{repo_root}/data/none does not exist"):
        dataset.load()["wsi"]()


def test_a_folder_named_by_a_date_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "20240115").mkdir()
    with h5py.File(tmp_path / "20240115/p1.h5", "w") as file:
        file["features"] = np.arange(4.0)
    settings = {"format": "titan", "folder": 20240115, "width": 4}
    assert RawModalitiesDataset(modalities={"wsi": settings}).load()["wsi"]().shape == (1, 4)


def test_raw_files_are_known_by_what_they_are_and_not_by_where_they_lie(tmp_path):
    def files(folder):
        (folder / "slides" / "deep").mkdir(parents=True)
        (folder / "rna.tsv").write_text("g\ts\na\t1\n")
        for name in ("b.h5", "deep/a.h5"):
            (folder / "slides" / name).write_bytes(b"")
        dataset = RawModalitiesDataset(
            modalities={
                "rnaseq": {"format": "matrix", "filepath": str(folder / "rna.tsv")},
                "wsi": {"format": "titan", "folder": str(folder / "slides")},
                "rppa": {"format": "matrix", "filepath": str(folder / "absent.tsv")},
            }
        )
        return dataset.raw_files()

    first, second = files(tmp_path / "first"), files(tmp_path / "second")
    assert set(first) == set(second) == {"rnaseq/rna.tsv", "wsi/b.h5", "wsi/a.h5"}
    assert first["wsi/a.h5"] == tmp_path / "first" / "slides" / "deep" / "a.h5"
