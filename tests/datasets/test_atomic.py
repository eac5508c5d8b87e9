import os

import pandas as pd
import pytest
from kedro.io.core import DatasetError
from matplotlib.figure import Figure

from tcga_coherent.datasets.atomic import (
    AtomicCSVDataset,
    AtomicFigureDataset,
    AtomicParquetDataset,
    AtomicPartitionedDataset,
    replace_when_whole,
)

FRAME = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index(["P1", "P2"], name="patient_id"))


def partitioned(path):
    dataset = {"type": "tcga_coherent.datasets.atomic.AtomicParquetDataset"}
    return AtomicPartitionedDataset(path=str(path), dataset=dataset, filename_suffix=".parquet")


def test_frames_and_figures_come_back(tmp_path):
    parquet = AtomicParquetDataset(filepath=str(tmp_path / "deep" / "x.parquet"))
    parquet.save(FRAME)
    pd.testing.assert_frame_equal(parquet.load(), FRAME)
    csv = AtomicCSVDataset(filepath=str(tmp_path / "x.csv"), save_args={"index": False})
    csv.save(FRAME)
    assert csv.load()["x"].tolist() == [1.0, 2.0]
    AtomicFigureDataset(filepath=str(tmp_path / "x.png")).save(Figure())
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "x.csv", "x.png"]


def test_a_failed_write_leaves_the_former_file(tmp_path):
    target = tmp_path / "x.txt"
    target.write_text("former")

    def write_half() -> None:
        with replace_when_whole(target) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert target.read_text() == "former"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_partitions_are_replaced_as_a_whole(tmp_path):
    dataset = partitioned(tmp_path / "tables")
    dataset.save({"a": FRAME, "b": FRAME})
    dataset.save({"b": FRAME, "deep/c": lambda: FRAME})
    assert sorted(dataset.load()) == ["b", "deep/c"]
    pd.testing.assert_frame_equal(dataset.load()["deep/c"](), FRAME)


def test_a_partition_that_fails_leaves_all_former_partitions(tmp_path):
    dataset = partitioned(tmp_path / "tables")
    dataset.save({"a": FRAME})

    def fail():
        raise RuntimeError("no frame")

    with pytest.raises(DatasetError, match="no frame"):
        dataset.save({"a": FRAME * 2, "b": fail})
    assert sorted(dataset.load()) == ["a"]
    pd.testing.assert_frame_equal(dataset.load()["a"](), FRAME)
    assert [p.name for p in tmp_path.iterdir()] == ["tables"]


def test_an_unwritable_output_is_named_with_the_way_out(tmp_path):
    # A file in the place of the folder: permissions do not stop root.
    (tmp_path / "blocked").write_text("")
    target = tmp_path / "blocked" / "x.parquet"
    with pytest.raises(DatasetError, match=r"Cannot write .*blocked/x.parquet: .*Make the folder"):
        AtomicParquetDataset(filepath=str(target)).save(FRAME)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DatasetError, match=r"Cannot write .*: Permission denied"):
        AtomicParquetDataset(filepath=str(tmp_path / "x.parquet")).save(FRAME)
