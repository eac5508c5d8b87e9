import csv

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.datasets.atomic import AtomicCSVDataset

NAMES = [
    "NA",
    "None",
    "nan",
    "NULL",
    "01",
    "1e5",
    "True",
    "=1+1",
    "'=1+1",
    "-x",
    "+x",
    "@x",
    "\tx",
    "a'b",
]


@pytest.fixture
def dataset(tmp_path):
    return AtomicCSVDataset(filepath=str(tmp_path / "x.csv"), save_args={"index": False})


def test_names_come_back_as_they_were_written(dataset) -> None:
    table = pd.DataFrame({"cancer_type": NAMES, "value": np.arange(len(NAMES)) - 3.5})
    dataset.save(table)
    loaded = dataset.load()
    assert loaded["cancer_type"].tolist() == NAMES
    assert loaded["value"].tolist() == table["value"].tolist()


def test_missing_cells_stay_missing_and_numbers_numbers(dataset) -> None:
    table = pd.DataFrame(
        {
            "cancer_type": ["1", None, "2"],
            "value": [-1.5, np.nan, np.inf],
            "count": [1, -2, 3],
            "note": ["", "x", ""],
            "kept": [True, False, True],
        }
    )
    dataset.save(table)
    loaded = dataset.load()
    assert loaded["cancer_type"].isna().tolist() == [False, True, False]
    assert loaded["cancer_type"].dropna().tolist() == ["1", "2"]
    assert loaded["note"].isna().tolist() == [True, False, True]
    for name in ("value", "count", "kept"):
        assert loaded[name].dtype == table[name].dtype
        pd.testing.assert_series_equal(loaded[name], table[name])


def test_no_text_begins_as_a_formula_of_a_spreadsheet(dataset, tmp_path) -> None:
    dataset.save(pd.DataFrame({"feature": NAMES, "value": -1.0}))
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert not [name for name, _ in rows if name[0] in "=+-@\t\r"]
    # Numbers may be negative.
    assert {value for _, value in rows} == {"-1.0"}
