import logging
from pathlib import Path

import h5py
import numpy as np
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.titan import read_titan_folder

SLIDE = "TCGA-OR-A5J1-01Z-00-DX1.600C7D8C-F04C-4125-AF14-B1E76DC01A1E"


def write(folder: Path, stem: str, values: np.ndarray, name: str = "features") -> None:
    with h5py.File(folder / f"{stem}.h5", "w") as file:
        file[name] = values


def test_both_shapes_become_rows_named_by_their_slides(tmp_path: Path) -> None:
    write(tmp_path, SLIDE, np.arange(768.0))
    write(tmp_path, "TCGA-OR-A5J2-01Z-00-DX1", -np.arange(768.0)[None])
    frame = read_titan_folder(tmp_path)
    assert list(frame.index) == [SLIDE, "TCGA-OR-A5J2-01Z-00-DX1"]
    assert list(frame.columns[[0, 767]]) == ["titan_000", "titan_767"]
    assert (frame.dtypes == np.float32).all()
    np.testing.assert_array_equal(frame.to_numpy(), [np.arange(768.0), -np.arange(768.0)])


def test_every_bad_file_is_named_in_one_error(tmp_path: Path) -> None:
    write(tmp_path, "good", np.zeros(8))
    write(tmp_path, "wide", np.zeros(9))
    write(tmp_path, "other", np.zeros(8), name="coords")
    write(tmp_path, "holes", np.full(8, np.nan))
    (tmp_path / "torn.h5").write_bytes(b"not HDF5")
    with pytest.raises(DatasetError) as error:
        read_titan_folder(tmp_path, width=8)
    message = str(error.value)
    assert "4 of the slide embeddings" in message
    assert "wide.h5 (shape (9,) instead of (8,) or (1, 8))" in message
    assert "no dataset 'features', found ['coords']" in message
    assert "holes.h5 (a value that is not finite)" in message
    assert "torn.h5 (" in message
    assert "good.h5" not in message
    assert "skip_bad: true" in message


def test_bad_files_are_left_out_with_a_warning_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "good", np.ones(8))
    write(tmp_path, "wide", np.zeros(9))
    with caplog.at_level(logging.WARNING):
        frame = read_titan_folder(tmp_path, width=8, skip_bad=True)
    assert list(frame.index) == ["good"]
    assert "wide.h5 (shape (9,)" in caplog.text


def test_an_absent_or_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"slides does not exist. Point `folder`"):
        read_titan_folder(tmp_path / "slides")
    with pytest.raises(DatasetError, match=rf"{tmp_path} holds no usable .h5 file"):
        read_titan_folder(tmp_path)
