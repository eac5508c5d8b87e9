import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw import parquet_table
from tcga_coherent.datasets.raw.matrix import read_matrix
from tcga_coherent.datasets.raw.parquet_table import counts_rows, read_parquet_table

VALUES = pd.DataFrame(
    [[1.5, -2.0], [0.25, 3.0]], index=["g1", "g2"], columns=["s1", "s2"], dtype=np.float32
)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    mixed = VALUES.assign(text=["a", None], number=pd.array([1, None], dtype="Int64"))
    mixed.to_parquet(tmp_path / "m.parquet")
    found = read_parquet_table(tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "m.parquet"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "Float32"])
@pytest.mark.parametrize(
    "index",
    [
        None,
        pd.Index(["a", "b", "c"], name="patient_id"),
        pd.MultiIndex.from_product([["g"], [1, 2, 3]], names=["gene", None]),
    ],
)
def test_a_matrix_read_in_blocks_is_what_pandas_reads(
    index: pd.Index | None, dtype: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_table, "BLOCK", 2)
    # Names with dots, of which one begins with another.
    columns = pd.Index(["A", "A.1", "B", "A.2", "C"], name="feature")
    values = np.arange(15.0).reshape(3, 5)
    values[1, 3] = np.nan
    frame = pd.DataFrame(values, columns=columns, index=index).astype(dtype)
    frame.to_parquet(tmp_path / "m.parquet")
    found = read_parquet_table(tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "m.parquet"))


def test_columns_of_one_name_keep_their_own_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_table, "BLOCK", 2)
    arrays = [pa.array([float(number), None]) for number in range(3)]
    pq.write_table(pa.table(arrays, names=["s", "s", "t"]), tmp_path / "m.parquet")
    found = read_parquet_table(tmp_path / "m.parquet")
    assert list(found.columns) == ["s", "s", "t"]
    np.testing.assert_array_equal(found, [[0, 1, 2], [np.nan] * 3])


def test_a_folder_of_parts_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").mkdir()
    VALUES.to_parquet(tmp_path / "m.parquet/part-0.parquet")
    with pytest.raises(DatasetError, match=r"m.parquet is a folder"):
        read_parquet_table(tmp_path / "m.parquet")
    with pytest.raises(DatasetError, match=r"m.parquet is a folder, not a file: join the parts"):
        read_matrix(tmp_path / "m.parquet")


@pytest.mark.parametrize("stored", [b"{not json", b'{"index_columns": 3}', b"\xff\xfe"])
def test_a_damaged_description_of_the_index_names_the_file(stored: bytes, tmp_path: Path) -> None:
    table = pa.Table.from_pandas(VALUES).replace_schema_metadata({b"pandas": stored})
    path = tmp_path / "m.parquet"
    pq.write_table(table, path)
    with pytest.raises(DatasetError, match=rf"{path} is truncated or not parquet, or damaged"):
        read_parquet_table(path)


def test_no_flipped_byte_changes_a_value_that_has_a_checksum(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    table = pa.Table.from_pandas(VALUES)
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"]
    pq.write_table(table, path, write_page_checksum=True, compression="none")
    whole = path.read_bytes()
    outcomes = []
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            found = read_parquet_table(path)
        except DatasetError:
            continue
        outcomes.append(
            found.shape != VALUES.shape or (found.to_numpy() == VALUES.to_numpy()).all()
        )
    # Only names and types stand outside of the checksums of pages.
    assert all(outcomes)


def test_numbers_of_rows_are_told_from_identifiers() -> None:
    assert counts_rows([0, 1, 2])
    assert counts_rows(["1", "2", "3"])
    assert not counts_rows([2, 1, 9])
    assert not counts_rows(["a", "b"])
