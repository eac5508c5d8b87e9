import logging
from pathlib import Path

import h5py
import numpy as np
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.titan import read_titan_folder

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


def test_all_suffixes_of_hdf5_are_read_and_a_slide_is_in_the_folder_once(tmp_path: Path) -> None:
    for name in ("a.H5", "b.hdf5", "c.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            file["features"] = np.ones(8)
    assert list(read_titan_folder(tmp_path, width=8).index) == ["a", "b", "c"]
    (tmp_path / "c.hdf5").write_bytes((tmp_path / "c.h5").read_bytes())
    with pytest.raises(DatasetError, match=r"c.hdf5 \(a slide of this name is in the folder twice"):
        read_titan_folder(tmp_path, width=8)


def test_what_is_ignored_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "slides.pt").write_bytes(b"x")
    (tmp_path / "more").mkdir()
    with pytest.raises(DatasetError, match=r"holds no usable .h5 file, only more, slides.pt"):
        read_titan_folder(tmp_path, width=8)
    write(tmp_path, "a", np.ones(8))
    with caplog.at_level(logging.INFO):
        read_titan_folder(tmp_path, width=8)
    assert "2 entries that are no .h5 files are ignored, such as more, slides.pt" in caplog.text
    with pytest.raises(DatasetError, match=r"slide embeddings .*a.h5 is a file"):
        read_titan_folder(tmp_path / "a.h5", width=8)


def test_embeddings_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    write(tmp_path, "secret", np.ones(8))
    with h5py.File(folder / "link.h5", "w") as file:
        file["features"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "features")
    with h5py.File(folder / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout(shape=(8,), dtype="f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "features", shape=(8,))
        file.create_virtual_dataset("features", layout)
    with pytest.raises(DatasetError) as error:
        read_titan_folder(folder, width=8)
    assert "link.h5 ('features' is a link into another file)" in str(error.value)
    assert "virtual.h5 (the values of 'features' lie in another file)" in str(error.value)


def test_slides_of_a_clinic_become_patients_by_a_pattern(tmp_path: Path) -> None:
    for stem, value in (("P001_A", 1.0), ("P001_B", 3.0), ("P002_A", 5.0)):
        write(tmp_path, stem, np.full(8, value))
    frame = read_titan_folder(tmp_path, width=8, patient_pattern="(P[0-9]+)_.")
    assert frame.index.tolist() == ["P001", "P002"]
    assert frame["titan_007"].tolist() == [2, 5]
    assert (frame.dtypes == np.float32).all()
    write(tmp_path, "control", np.ones(8))
    with pytest.raises(DatasetError, match=r"control.h5 \(the name does not match patient_pattern"):
        read_titan_folder(tmp_path, width=8, patient_pattern="(P[0-9]+)_.")
