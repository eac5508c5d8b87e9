from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import completion
from tcga_coherent.datasets.bundle import BundleDataset
from tests.completion.small_cohort import make_cohort


def test_patients_are_repeated_under_new_names_with_what_they_have(tmp_path: Path) -> None:
    matrices = {
        "cna": pd.DataFrame([[1.0, 2.0]], ["g"], ["A", "B"]),
        "rppa": pd.DataFrame([[5.0, 6.0]], ["p"], ["B", "C"]),
    }
    completion.write_patients(matrices, 5, tmp_path)
    cna, rppa = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in matrices)
    assert cna["g"].to_dict() == {"P0000000": 1, "P0000001": 2, "P0000003": 1, "P0000004": 2}
    assert rppa["p"].to_dict() == {"P0000001": 5, "P0000002": 6, "P0000004": 5}


def test_each_number_of_patients_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    cohort = make_cohort()
    BundleDataset(path=str(tmp_path / "models/bundle")).save(cohort.bundle)
    (tmp_path / "source").mkdir()
    test = cohort.split.index[cohort.split["split"] == "test"]
    for number, name in enumerate(("cna", "rnaseq")):
        table = cohort.tables[name].loc[test[number : number + 3]]
        table.T.to_parquet(tmp_path / f"source/{name}.parquet")
    table = completion.run(
        tmp_path / "models/bundle", tmp_path / "source", [4, 8], 4, tmp_path / "scratch"
    )
    assert list(table["patients"]) == [4, 8]
    assert (table["peak_mb"] >= table["tables_mb"]).all()
    assert (table[["seconds", "results_mb"]] > 0).all(axis=None)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_exponent_is_that_of_the_seconds() -> None:
    table = pd.DataFrame({"patients": [10, 100, 1000], "seconds": [2.0, 20.0, 200.0]})
    assert completion.exponent(table, "seconds") == pytest.approx(1)
    assert completion.exponent(
        table.assign(seconds=np.square(table["patients"])), "seconds"
    ) == pytest.approx(2)
