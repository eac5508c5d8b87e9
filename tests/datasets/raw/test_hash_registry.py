import hashlib
from pathlib import Path

import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.hash_registry import HashRegistry, read_hashes, verify_files

HASHES = {text: hashlib.sha256(text.encode()).hexdigest() for text in ("old", "new")}


def test_hashes_are_recorded_one_a_line_and_sorted(tmp_path: Path) -> None:
    registry = HashRegistry(tmp_path)
    registry.record("b.gz", HASHES["new"])
    registry.record("a.gz", HASHES["old"])
    assert registry.read() == {"a.gz": HASHES["old"], "b.gz": HASHES["new"]}
    assert registry.path.read_text() == f"a.gz {HASHES['old']}\nb.gz {HASHES['new']}\n"


def test_a_changed_file_is_named_with_both_hashes_and_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_text("old")
    HashRegistry(tmp_path).record("a.gz", HASHES["old"])
    verify_files(tmp_path, ["a.gz"])
    (tmp_path / "a.gz").write_text("new")
    with pytest.raises(
        DatasetError,
        match=rf"a.gz changed: its SHA-256 is {HASHES['new']}, but {HASHES['old']} was recorded .*"
        rf"delete its line in {tmp_path}/registry.txt",
    ):
        verify_files(tmp_path, ["a.gz"])


def test_files_put_there_by_hand_need_no_hash(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_text("old")
    verify_files(tmp_path, ["a.gz", "absent.gz"])
    assert not (tmp_path / "registry.txt").exists()


def test_a_damaged_registry_is_named(tmp_path: Path) -> None:
    (tmp_path / "registry.txt").write_text("one-word-only\n")
    with pytest.raises(DatasetError, match=r"registry.txt is damaged"):
        HashRegistry(tmp_path).read()


def test_a_list_of_a_release_is_read_as_either_program_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "release.txt"
    path.write_text(f"a.gz {HASHES['old']}\n\n{HASHES['new'].upper()} *b.gz\n")
    assert read_hashes(path) == {"a.gz": HASHES["old"], "b.gz": HASHES["new"]}
    path.write_text("a.gz 0123\n")
    with pytest.raises(DatasetError, match=r"release.txt is damaged: .* not 'a.gz 0123'"):
        read_hashes(path)
    with pytest.raises(DatasetError, match=r"absent.txt does not exist"):
        read_hashes(tmp_path / "absent.txt")
