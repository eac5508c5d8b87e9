from pathlib import Path

import anndata
import mudata
import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError
from scipy.sparse import csr_matrix

from tcga_coherent.datasets.raw.annotated import read_annotated, tables_of
from tcga_coherent.datasets.raw.new_patients import NewPatientsDataset


def annotated(matrix: np.ndarray, **parts: object) -> anndata.AnnData:
    """Return an AnnData of patients P0, P1, ... and features g0, g1, ..."""
    rows, columns = matrix.shape
    obs = pd.DataFrame(index=[f"P{number}" for number in range(rows)])
    var = pd.DataFrame(index=[f"g{number}" for number in range(columns)])
    return anndata.AnnData(matrix, obs=obs, var=var, **parts)


def test_files_of_one_and_of_several_modalities_are_read_beside_each_other(tmp_path: Path) -> None:
    counts = np.arange(6, dtype=np.float32).reshape(2, 3)
    annotated(csr_matrix(counts)).write_h5ad(tmp_path / "rnaseq.h5ad")
    holed = np.array([[1.5, np.nan], [2.5, 3.5]], dtype=np.float32)
    several = mudata.MuData({"cna": annotated(counts[:, :2]), "rppa": annotated(holed)})
    several.write(tmp_path / "batch.h5mu")
    loaders = NewPatientsDataset(folder=str(tmp_path)).load()
    assert list(loaders) == ["cna.batch.h5mu", "rppa.batch.h5mu", "rnaseq.h5ad"]
    found = loaders["rnaseq.h5ad"]()
    assert found.loc["P1"].to_dict() == {"g0": 3.0, "g1": 4.0, "g2": 5.0}
    assert (found.dtypes == np.float32).all()
    np.testing.assert_array_equal(loaders["rppa.batch.h5mu"](), holed)
    for name, table in tables_of(several).items():
        pd.testing.assert_frame_equal(table, loaders[f"{name}.batch.h5mu"]())


def test_what_was_generated_is_not_taken_for_measured(tmp_path: Path) -> None:
    generated = np.array([[False, False], [True, True]])
    one = annotated(np.ones((2, 2), np.float32), layers={"generated": generated})
    one.write_h5ad(tmp_path / "cna.h5ad")
    found = read_annotated(tmp_path / "cna.h5ad")["cna"]()
    assert found.isna().to_numpy().tolist() == generated.tolist()


@pytest.mark.parametrize("name", ["cna.h5ad", "batch.h5mu"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(DatasetError, match=rf"{name} is truncated or not \.h5"):
        [load() for load in read_annotated(path).values()]


def test_values_and_names_are_held_to_what_other_files_are(tmp_path: Path) -> None:
    endless = annotated(np.array([[np.inf, 1.0]], dtype=np.float32))
    with pytest.raises(DatasetError, match=r"modality cna holds an infinite value at row 'P0'"):
        tables_of(mudata.MuData({"cna": endless}))
    nothing = anndata.AnnData(obs=pd.DataFrame(index=["P0"]), var=pd.DataFrame(index=["g0"]))
    nothing.write_h5ad(tmp_path / "cna.h5ad")
    with pytest.raises(DatasetError, match=r"cna\.h5ad has no X: put the values there"):
        read_annotated(tmp_path / "cna.h5ad")["cna"]()
