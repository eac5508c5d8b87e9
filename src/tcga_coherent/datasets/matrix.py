"""Numeric matrices of features and samples, as text or parquet."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from kedro.io.core import DatasetError

from tcga_coherent.datasets.text_files import open_table, read_header, require_file, separator

Orientation = Literal["features_by_samples", "samples_by_features"]

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None")
# One row must fit into a block, and a row of 60,000 features has half a megabyte.
BLOCK_BYTES = 16 * 2**20
EXAMPLES = 3


def read_matrix(
    path: Path, orientation: Orientation = "features_by_samples", hint: str = ""
) -> pd.DataFrame:
    """Read a numeric matrix with names over its columns and in its first column.

    Parameters
    ----------
    path
        ``.parquet``, or ``.tsv``, ``.tab``, ``.txt`` or ``.csv``, with or without ``.gz``.
    orientation
        What the rows and the columns of the file are.
    hint
        How to get the file, added to the error when it is absent.

    Returns
    -------
    pandas.DataFrame
        Samples x features, float32, index named ``sample``, columns named ``feature``.

    Raises
    ------
    DatasetError
        When the file is absent, empty, truncated, a web page, or holds duplicate or nameless
        samples or features, text in place of a number, or an infinite value.
    """
    require_file(path, hint)
    is_parquet = path.suffix == ".parquet"
    rows, columns, values = _read_parquet(path) if is_parquet else _read_text(path)
    kinds = ("feature", "sample") if orientation == "features_by_samples" else ("sample", "feature")
    _check_names(path, rows, "row", kinds[0])
    _check_names(path, columns, "column", kinds[1])
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise DatasetError(
            f"{path} holds an infinite value at row {rows[row]!r}, column {columns[column]!r}: leave "
            f"the cell empty where nothing was measured."
        )
    frame = pd.DataFrame(values, index=pd.Index(rows), columns=pd.Index(columns), copy=False)
    if orientation == "features_by_samples":
        frame = frame.T
    return frame.rename_axis(index="sample", columns="feature")


def _read_text(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    delimiter = separator(path)
    columns = read_header(path, delimiter)[1:]
    # The names of the file may repeat; numbers do not.
    keys = [str(number) for number in range(len(columns) + 1)]
    types = {key: pa.float32() for key in keys} | {"0": pa.string()}
    try:
        with open_table(path) as file:
            table = pyarrow.csv.read_csv(
                file,
                read_options=pyarrow.csv.ReadOptions(
                    column_names=keys, skip_rows=1, block_size=BLOCK_BYTES
                ),
                parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
                convert_options=pyarrow.csv.ConvertOptions(column_types=types, null_values=MISSING),
            )
    except pa.ArrowInvalid as error:
        raise DatasetError(_explain(path, delimiter, columns, str(error))) from error
    rows = table.column(0).to_pylist()
    values = np.empty((len(columns), table.num_rows), dtype=np.float32)
    for number in range(len(columns)):
        values[number] = table.column(number + 1).to_numpy()
    return rows, columns, values.T


def _explain(path: Path, delimiter: str, columns: Sequence[str], problem: str) -> str:
    """Name row and column of the cell that pyarrow could not read as a number."""
    found = re.search(r"CSV column #(\d+).*invalid value '(.*)'", problem, re.DOTALL)
    if found is None:
        return f"{path} is not a matrix: {problem}."
    column, text = int(found[1]), found[2]
    with open_table(path) as file:
        for row in csv.reader(io.TextIOWrapper(file, "utf-8-sig"), delimiter=delimiter):
            if len(row) > column and row[column].strip() == text.strip():
                return _text_in_matrix(path, row[0], columns[column - 1], text)
    return f"{path} is not a matrix: {problem}."


def _read_parquet(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    try:
        frame = pd.read_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(
            f"{path} is truncated or not parquet ({error}): copy it again."
        ) from error
    if isinstance(frame.index, pd.RangeIndex) and frame.shape[1]:
        # Written without an index, as R's arrow does: the first column holds the names.
        frame = frame.set_index(frame.columns[0])
    if frame.empty:
        raise DatasetError(f"{path} holds a table of {frame.shape[0]} x {frame.shape[1]} cells.")
    rows = [str(name) for name in frame.index]
    columns = [str(name) for name in frame.columns]
    for number, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            cells = frame.iloc[:, number]
            numbers = pd.to_numeric(cells, errors="coerce")
            is_text = (numbers.isna() & cells.notna() & ~cells.isin(MISSING)).to_numpy()
            if is_text.any():
                row = int(is_text.argmax())
                raise DatasetError(
                    _text_in_matrix(path, rows[row], columns[number], str(cells.iloc[row]))
                )
            frame.isetitem(number, numbers.to_numpy())
    return rows, columns, frame.to_numpy(dtype=np.float32, na_value=np.nan)


def _text_in_matrix(path: Path, row: str, column: str, text: str) -> str:
    return (
        f"{path} holds text instead of a number at row {row!r}, column {column!r}: {text!r}. "
        f"Correct the cell, or leave it empty where nothing was measured."
    )


def _check_names(path: Path, names: Sequence[str], axis: str, kind: str) -> None:
    index = pd.Index(names)
    nameless = index.isna() | (index.str.strip() == "")
    if nameless.any():
        raise DatasetError(
            f"{path}: {axis} number {int(nameless.argmax()) + 1} has no {kind} name. Name it or delete it."
        )
    if not index.is_unique:
        twice = list(index[index.duplicated()].unique()[:EXAMPLES])
        raise DatasetError(
            f"{path} holds duplicate {kind}s in its {axis}s: {', '.join(map(repr, twice))}. Keep one "
            f"of each; if {axis}s are not {kind}s, change `orientation` in the catalog."
        )
