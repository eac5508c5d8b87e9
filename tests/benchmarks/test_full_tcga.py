from pathlib import Path

import pytest

import full_tcga


def test_a_project_is_made_beside_the_raw_files_and_in_no_other_s_place(tmp_path: Path) -> None:
    for name in full_tcga.FOLDERS:
        (tmp_path / "raw" / name).mkdir(parents=True)
    (tmp_path / "raw/xena/TCGA-BRCA.protein.tsv.gz").write_bytes(b"x")
    full_tcga.make_project(tmp_path / "raw", tmp_path / "scratch")
    linked = tmp_path / "scratch/data/01_raw/xena/TCGA-BRCA.protein.tsv.gz"
    assert linked.read_bytes() == b"x"
    assert (tmp_path / "scratch/conf/base/globals.yml").is_file()
    with pytest.raises(SystemExit, match="scratch holds a project already"):
        full_tcga.make_project(tmp_path / "raw", tmp_path / "scratch")


def test_a_folder_without_raw_files_is_named_with_what_it_has_to_hold(tmp_path: Path) -> None:
    (tmp_path / "xena").mkdir()
    with pytest.raises(SystemExit, match=r"has no folder titan: name one that holds xena/"):
        full_tcga.make_project(tmp_path, tmp_path / "scratch")
