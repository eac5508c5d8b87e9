"""Read a parquet file of any width, and find which of its columns names the rows."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from kedro.io.core import DatasetError

# What pandas, polars, DuckDB, readr and write.csv call row names that were an index once.
LEFTOVER = re.compile(r"^(?:__index_level_\d+__|rownames|row\.names|index|Unnamed: 0|\.\.\.1|X|)$")

FLOATS = ({np.dtype(np.float32)}, {np.dtype(np.float64)})
# Columns of a matrix that are read at a time.
BLOCK = 1024


def read_parquet_table(path: Path) -> pd.DataFrame:
    """Read a parquet file as pandas stored it, index included.

    ``pandas.read_parquet`` and ``pyarrow.parquet.read_table`` build a data set around the file, whose
    memory grows with the square of the number of columns; reading the file itself needs memory in
    proportion to its values. A matrix, all of whose columns are floats of one type, is read some columns at
    a time into its place.

    Parameters
    ----------
    path
        A file, not a folder of parts.

    Raises
    ------
    DatasetError
        When it is a folder, or not parquet, truncated or damaged; pages that carry a checksum are
        held against it.
    """
    return _read(path, _read_whole)


def read_parquet_head(path: Path, rows: int = 100) -> pd.DataFrame:
    """Read the first rows of a parquet file; errors as of :func:`read_parquet_table`."""
    return _read(path, lambda file: next(file.iter_batches(rows)).to_pandas())


def _read(path: Path, read: Callable[[pyarrow.parquet.ParquetFile], pd.DataFrame]) -> pd.DataFrame:
    if path.is_dir():
        raise DatasetError(
            f"{path} is a folder, as Spark writes it, not a parquet file: join its parts into one file."
        )
    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            return read(file)
    # A flipped bit in the schema that pandas stores as JSON surfaces as any of these.
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DatasetError(
            f"{path} is truncated or not parquet, or damaged ({error}): copy it again."
        ) from error


def _read_whole(file: pyarrow.parquet.ParquetFile) -> pd.DataFrame:
    # Columns, their types and names of the index, without a row.
    skeleton = file.schema_arrow.empty_table().to_pandas()
    types = set(skeleton.dtypes)
    if types in FLOATS:
        return _read_matrix(file, skeleton.columns, types.pop())
    return file.read().to_pandas()


def _read_matrix(
    file: pyarrow.parquet.ParquetFile, columns: pd.Index, dtype: np.dtype[np.floating]
) -> pd.DataFrame:
    schema = file.schema_arrow
    stored = (schema.pandas_metadata or {}).get("index_columns", [])
    of_index = [number for number, name in enumerate(schema.names) if name in stored]
    of_values = [number for number, name in enumerate(schema.names) if name not in stored]
    index = file.reader.read_all(column_indices=of_index).to_pandas().index
    values = np.empty((len(of_values), len(index)), dtype=dtype)
    for start in range(0, len(of_values), BLOCK):
        part = file.reader.read_all(column_indices=of_values[start : start + BLOCK])
        for number, column in enumerate(part.columns, start):
            values[number] = column.to_numpy()
    return pd.DataFrame(values.T, index=index, columns=columns, copy=False)


def is_leftover(name: object) -> bool:
    """Say whether a column is called as programs call the row names of an earlier table."""
    return LEFTOVER.match(str(name)) is not None


def counts_rows(cells: Iterable[object]) -> bool:
    """Say whether cells are 0, 1, 2, ... or 1, 2, 3, ..., as numbers or texts."""
    found = pd.to_numeric(pd.Series(list(cells), dtype=object), errors="coerce").to_numpy(
        dtype=float
    )
    return any(bool((found == np.arange(len(found)) + start).all()) for start in (0, 1))


def flatten_index(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Turn an index that may not name the rows into ordinary columns.

    An index of texts, one that has a name, and integers that are not 0, 1, 2, ... name the rows; so
    they stay unless there are two levels, or a column of texts beside integers.

    Raises
    ------
    DatasetError
        When the columns have names on several levels.
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise DatasetError(
            f"{path} names its columns on {frame.columns.nlevels} levels, such as "
            f"{frame.columns[0]}: keep one level."
        )
    if isinstance(frame.index, pd.MultiIndex):
        return frame.reset_index()
    if is_row_number(frame.index):
        return frame.reset_index(drop=True)
    if pd.api.types.is_integer_dtype(frame.index.dtype) and frame.index.name is None:
        return frame.reset_index(drop=True) if text_columns(frame) else frame
    return frame


def is_row_number(index: pd.Index) -> bool:
    """Say whether an index is nothing but the numbers of the rows."""
    return (
        index.name is None
        and pd.api.types.is_integer_dtype(index.dtype)
        and bool((index == np.arange(len(index))).all())
    )


def text_columns(frame: pd.DataFrame) -> list[int]:
    """Return the positions of columns whose cells are texts and no numbers."""
    return [
        number
        for number, dtype in enumerate(frame.dtypes)
        if is_textual(dtype) and not holds_numbers(frame.iloc[:, number])
    ]


def is_textual(dtype: Any) -> bool:
    """Say whether cells of a type may be texts."""
    return isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype)


def holds_numbers(cells: pd.Series) -> bool:
    """Say whether any cell is a number, or all are missing."""
    return bool(pd.to_numeric(cells.astype(object), errors="coerce").notna().any()) or bool(
        cells.isna().all()
    )


def as_names(labels: Sequence[object] | pd.Index) -> list[str]:
    """Return labels as texts; a number that a gap turned into a float is a whole one again."""
    return [
        str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
        for label in labels
    ]
