from pathlib import Path

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.split_file import SplitFileDataset

SPLIT = pd.DataFrame({"patient_id": ["01", "P2", "NA"], "split": ["train", "test", "val"]})


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".tsv.gz", ".parquet"])
def test_a_split_is_read_with_names_as_they_are(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"split{suffix}"
    if suffix == ".parquet":
        SPLIT.set_index("patient_id").to_parquet(path)
    else:
        SPLIT.to_csv(path, index=False, sep="," if suffix == ".csv" else "\t")
    read = SplitFileDataset(filepath=str(path)).load()
    assert read["split"].to_dict() == {"01": "train", "P2": "test", "NA": "val"}
    assert read.index.name == "patient_id"


def test_without_a_file_there_is_no_split() -> None:
    dataset = SplitFileDataset(filepath=None)
    assert dataset.load().empty
    assert dataset.raw_files() == {}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("patient,split\nP1,train\n", "has no column patient_id, but patient, split"),
        ("patient_id,split\nP1,train\nP1,test\n", "names the patient P1 twice"),
        (
            "patient_id,split\nP1,train\nP2,holdout\n",
            "puts P2 into 'holdout': write train, val, te",
        ),
    ],
)
def test_a_bad_split_is_refused_in_a_sentence(tmp_path: Path, lines: str, message: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(lines)
    with pytest.raises(DatasetError, match=message):
        SplitFileDataset(filepath=str(path)).load()


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"split\.csv does not exist.*split_file=FILE"):
        SplitFileDataset(filepath=str(tmp_path / "split.csv")).load()
