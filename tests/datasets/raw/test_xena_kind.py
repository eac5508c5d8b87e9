import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw import matrix
from tcga_coherent.datasets.raw.matrix import read_sample_names
from tcga_coherent.datasets.raw.xena_kind import read_xena_kind


def write(path: Path, frame: pd.DataFrame) -> Path:
    """Write features x samples as the hub does."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        frame.rename_axis("id").to_csv(file, sep="\t")
    return path


def cohort(letter: str, samples: int, features: list[str], seed: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(len(features), samples)).round(3)
    names = [f"TCGA-{letter}{letter}-{number:04d}-01A" for number in range(samples)]
    return pd.DataFrame(values, index=features, columns=names)


def test_features_in_another_order_and_of_some_cohorts_only_find_their_place(
    tmp_path: Path,
) -> None:
    frames = {
        "A": cohort("A", 3, ["p1", "p2", "p3"], 1),
        "B": cohort("B", 2, ["p3", "p5", "p1"], 2),
        "C": cohort("C", 1, ["p4", "p3"], 3),
    }
    frames["A"].iloc[1, 2] = np.nan
    paths = {name: write(tmp_path / f"{name}.tsv.gz", frame) for name, frame in frames.items()}
    found = read_xena_kind(paths, "protein")
    expected = pd.concat([frame.T for frame in frames.values()]).astype(np.float32)
    pd.testing.assert_frame_equal(
        found, expected.rename_axis(index="sample", columns="feature"), check_names=True
    )
    assert found.columns.tolist() == ["p1", "p2", "p3", "p5", "p4"]


def test_a_sample_of_two_cohorts_is_found_before_any_values_are_read(tmp_path: Path) -> None:
    frame = cohort("A", 3, [f"p{number}" for number in range(40)], 1)
    paths = {"A": write(tmp_path / "A.tsv.gz", frame)}
    # A text far below the first rows would be the error of reading all of it.
    broken = frame.astype(object)
    broken.iloc[35, 0] = "x"
    paths["B"] = write(tmp_path / "B.tsv.gz", broken)
    with pytest.raises(DatasetError, match=r"'TCGA-AA-0000-01A' is in the protein files .* A, B"):
        read_xena_kind(paths, "protein")
    with pytest.raises(DatasetError, match="text instead of a number"):
        read_xena_kind({"B": paths["B"]}, "protein")


def test_names_of_samples_leave_out_what_describes_features(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_text("gene\tgene_name\tS1\tS2\ng1\tTP53\t1\t2\n", encoding="utf-8")
    assert list(read_sample_names(path, "features_by_samples")) == ["S1", "S2"]
    with pytest.raises(DatasetError, match="does not exist"):
        read_sample_names(tmp_path / "absent.tsv", "features_by_samples")


def test_cohorts_are_in_memory_once_and_one_file_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "BLOCK_BYTES", 2**16)
    features = [f"ENSG{number:06d}" for number in range(3000)]
    paths = {
        letter: write(tmp_path / f"{letter}.tsv.gz", cohort(letter, 80, features, 1))
        for letter in "ABCDEFGH"
    }
    tracemalloc.start()
    try:
        found = read_xena_kind(paths, "star_counts")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    values = found.to_numpy().nbytes
    assert values == 8 * 80 * 3000 * 4
    # A file has an eighth of the values; names of features take as much as that here.
    assert peak < 1.7 * values
