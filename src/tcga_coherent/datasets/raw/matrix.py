"""Numeric matrices of features and samples, as text or parquet."""

import csv
import io
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.parquet_table import (
    as_names,
    counts_rows,
    flatten_index,
    is_leftover,
    is_row_number,
    is_textual,
    read_parquet_head,
    read_parquet_table,
    text_columns,
)
from tcga_coherent.datasets.raw.text_files import (
    Head,
    open_table,
    read_head,
    require_file,
    separator,
)

logger = logging.getLogger(__name__)

Orientation = Literal["features_by_samples", "samples_by_features"]

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "--", "'--")
# One row must fit into a block, and a row of 60,000 features has half a megabyte.
BLOCK_BYTES = 16 * 2**20
EXAMPLES = 3

# Columns beside the feature names in files of cBioPortal, GDC and Broad's GCT: not samples.
ANNOTATIONS = {
    *(
        "hugo_symbol",
        "entrez_gene_id",
        "cytoband",
        "locus id",
        "gene symbol",
        "composite.element.ref",
    ),
    *(
        "gene_id",
        "gene_name",
        "gene_type",
        "description",
        "chrom",
        "chromstart",
        "chromend",
        "strand",
    ),
}
# The columns of GDC's file of one sample; a matrix of samples has none of them.
STAR_COLUMNS = {"unstranded", "stranded_first", "stranded_second"}


def read_matrix(
    path: Path, orientation: Orientation | None = "features_by_samples", hint: str = ""
) -> pd.DataFrame:
    """Read a numeric matrix with names over its columns and in its first column.

    Parameters
    ----------
    path
        ``.parquet``, or ``.tsv``, ``.tab``, ``.txt`` or ``.csv``, with or without ``.gz``.
    orientation
        What the rows and the columns of the file are; None where the caller finds out.
    hint
        How to get the file, added to the error when it is absent.

    Returns
    -------
    pandas.DataFrame
        Samples x features, float32, index named ``sample``, columns named ``feature``; as it lies in the
        file, without such names, where `orientation` is None.

    Raises
    ------
    DatasetError
        When the file is absent, empty, truncated, a web page, or holds duplicate or nameless
        samples or features, text in place of a number, or an infinite value.
    """
    require_file(path, hint)
    is_parquet = path.suffix == ".parquet"
    read = _read_parquet if is_parquet else _read_text
    rows, columns, values = read(path, orientation)
    kinds = ("sample", "feature") if orientation == "samples_by_features" else ("feature", "sample")
    if orientation is None:
        kinds = ("name", "name")
    check_matrix(path, rows, columns, values, kinds)
    frame = pd.DataFrame(values, index=pd.Index(rows), columns=pd.Index(columns), copy=False)
    if orientation is None:
        return frame
    if orientation == "features_by_samples":
        frame = frame.T
    return frame.rename_axis(index="sample", columns="feature")


def check_matrix(
    path: Path,
    rows: Sequence[str],
    columns: Sequence[str],
    values: np.ndarray,
    kinds: tuple[str, str] = ("name", "name"),
) -> None:
    """Refuse nameless or repeated rows and columns, called `kinds` in messages, and infinite values.

    Raises
    ------
    DatasetError
        Naming the first of them.
    """
    _check_names(path, rows, "row", kinds[0])
    _check_names(path, columns, "column", kinds[1])
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise DatasetError(
            f"{path} holds an infinite value at row {rows[row]!r}, column {columns[column]!r}: leave "
            f"the cell empty where nothing was measured."
        )


def read_sample_names(path: Path, orientation: Orientation, hint: str = "") -> pd.Index:
    """Read the names of the samples of a matrix, and none of its values where they lie apart from these.

    Parameters and errors as of :func:`read_matrix`, as far as they are of names.
    """
    require_file(path, hint)
    is_parquet = path.suffix == ".parquet"
    by_rows = orientation == "samples_by_features"
    if is_parquet and by_rows:
        return read_matrix(path, orientation, hint).index
    if is_parquet:
        head = _keep_one_level(path, read_parquet_head(path))
        frame = _name_rows(path, flatten_index(head, path), orientation)
        names = as_names(frame.columns)
    elif by_rows:
        names = _read_row_names(path)
    else:
        head_of_text = read_head(path, separator(path))
        _, _, values_at = _columns_of_text(path, head_of_text, orientation)
        names = [head_of_text.names[number] for number in values_at]
    _check_names(path, names, "row" if by_rows else "column", "sample")
    return pd.Index(names, name="sample")


def _read_row_names(path: Path) -> list[str]:
    delimiter = separator(path)
    head = read_head(path, delimiter)
    named_by, _, _ = _columns_of_text(path, head, "samples_by_features")
    return _read_columns(path, delimiter, head, {str(named_by): pa.string()})[0].to_pylist()


def _columns_of_text(
    path: Path, head: Head, orientation: Orientation | None
) -> tuple[int, set[int], list[int]]:
    """Find the column that names the rows, those that describe features, and those of values."""
    _refuse_star_file(path, head.names)
    named_by = _find_names_in_text(head)
    annotations = _find_annotations(head.names, named_by, orientation)
    values_at = [
        number
        for number in range(len(head.names))
        if number != named_by and number not in annotations
    ]
    if named_by > 0 and is_leftover(head.names[0]) and counts_rows(row[0] for row in head.rows):
        values_at.remove(0)
    return named_by, annotations, values_at


def _read_columns(
    path: Path, delimiter: str, head: Head, types: dict[str, pa.DataType]
) -> pa.Table:
    """Read the columns of these numbers, behind the lines of the head."""
    with open_table(path) as file:
        for _ in range(head.lines):
            file.readline()
        return pyarrow.csv.read_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(
                # The names of the file may repeat; numbers do not.
                column_names=[str(number) for number in range(len(head.names))],
                block_size=BLOCK_BYTES,
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types, null_values=MISSING, include_columns=list(types)
            ),
        )


def _read_text(
    path: Path, orientation: Orientation | None
) -> tuple[list[str], list[str], np.ndarray]:
    delimiter = separator(path)
    head = read_head(path, delimiter)
    named_by, annotations, values_at = _columns_of_text(path, head, orientation)
    _warn_of_annotations(path, head.names, annotations)
    if named_by > 0:
        logger.warning("%s: the names of the rows are in column %r", path, head.names[named_by])
    types = {str(number): pa.float32() for number in values_at} | {str(named_by): pa.string()}
    columns = [head.names[number] for number in values_at]
    try:
        table = _read_columns(path, delimiter, head, types)
    except pa.ArrowInvalid as error:
        raise DatasetError(_explain(path, delimiter, head, named_by, str(error))) from error
    rows = table.column(str(named_by)).to_pylist()
    values = np.empty((len(columns), table.num_rows), dtype=np.float32)
    for position, number in enumerate(values_at):
        values[position] = table.column(str(number)).to_numpy()
    return rows, columns, values.T


def _refuse_star_file(path: Path, names: Sequence[str]) -> None:
    if set(names) >= STAR_COLUMNS:
        raise DatasetError(
            f"{path} is GDC's file of one sample with several kinds of counts ({', '.join(names[-6:])}): "
            f"merge the column unstranded of all samples into one matrix, one column a sample."
        )


def _find_names_in_text(head: Head) -> int:
    """Return the column that names the rows: the first, unless it holds numbers and one other texts."""
    textual = [
        number
        for number, name in enumerate(head.names)
        if name.strip().lower() not in ANNOTATIONS and _is_text_in_all(head.rows, number)
    ]
    return textual[0] if len(textual) == 1 and not _is_text_in_all(head.rows, 0) else 0


def _is_text_in_all(rows: Sequence[Sequence[str]], number: int) -> bool:
    cells = [row[number].strip() for row in rows if len(row) > number]
    return bool(cells) and not any(cell in MISSING or _is_number(cell) for cell in cells)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _find_annotations(
    names: Sequence[str], named_by: int, orientation: Orientation | None
) -> set[int]:
    """Return the columns that describe features; samples x features have none."""
    if orientation == "samples_by_features":
        return set()
    return {
        number
        for number, name in enumerate(names)
        if number != named_by and name.strip().lower() in ANNOTATIONS
    }


def _warn_of_annotations(path: Path, names: Sequence[str], annotations: set[int]) -> None:
    if annotations:
        logger.warning(
            "%s: the columns %s describe features and are no samples: left out",
            path,
            ", ".join(names[number] for number in sorted(annotations)),
        )


def _explain(path: Path, delimiter: str, head: Head, named_by: int, problem: str) -> str:
    """Name row and column of the cell that pyarrow could not read as a number."""
    found = re.search(r"CSV column #(\d+).*invalid value '(.*)'", problem, re.DOTALL)
    if found is None:
        return f"{path} is not a matrix: {problem}."
    column, text = int(found[1]), found[2]
    with open_table(path) as file:
        for row in csv.reader(io.TextIOWrapper(file, "utf-8-sig"), delimiter=delimiter):
            if len(row) > column and row[column].strip() == text.strip():
                return _text_in_matrix(path, row[named_by], head.names[column], text)
    return f"{path} is not a matrix: {problem}."


def _read_parquet(
    path: Path, orientation: Orientation | None
) -> tuple[list[str], list[str], np.ndarray]:
    frame = _keep_one_level(path, read_parquet_table(path))
    frame = _name_rows(path, flatten_index(frame, path), orientation)
    if frame.empty:
        raise DatasetError(f"{path} holds a table of {frame.shape[0]} x {frame.shape[1]} cells.")
    rows, columns = as_names(frame.index), as_names(frame.columns)
    for number, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            cells = frame.iloc[:, number]
            # Dates would become nanoseconds.
            as_found = cells if is_textual(dtype) else cells.astype(str)
            numbers = pd.to_numeric(as_found, errors="coerce")
            is_text = (numbers.isna() & cells.notna() & ~cells.isin(MISSING)).to_numpy()
            if is_text.any():
                row = int(is_text.argmax())
                raise DatasetError(
                    _text_in_matrix(path, rows[row], columns[number], str(cells.iloc[row]))
                )
            frame.isetitem(number, numbers.to_numpy())
    return rows, columns, frame.to_numpy(dtype=np.float32, na_value=np.nan)


def _keep_one_level(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Name rows by the first level of their index that tells them apart, such as gene of gene and type."""
    index = frame.index
    if not isinstance(index, pd.MultiIndex):
        return frame
    for number, name in enumerate(index.names):
        level = index.get_level_values(number)
        if level.is_unique:
            logger.warning(
                "%s: rows are named on %d levels: %s is taken, such as %s",
                path,
                index.nlevels,
                name or f"level_{number}",
                level[0],
            )
            return frame.set_axis(level.rename(name or f"level_{number}"), axis=0)
    raise DatasetError(
        f"{path} names its rows on {index.nlevels} levels, none of which tells all rows apart: keep one "
        f"level that does."
    )


def _name_rows(path: Path, frame: pd.DataFrame, orientation: Orientation | None) -> pd.DataFrame:
    """Make the column that names the rows the index, wherever it is.

    Raises
    ------
    DatasetError
        When the rows have no names.
    """
    if not is_row_number(frame.index) or not frame.shape[1]:
        named_by, index = -1, frame.index
    else:
        named_by = _find_names_in_parquet(path, frame)
        index = pd.Index(frame.iloc[:, named_by])
    names = as_names(frame.columns)
    _refuse_star_file(path, names)
    left_out = _find_annotations(names, named_by, orientation)
    _warn_of_annotations(path, names, left_out)
    if named_by >= 0:
        left_out |= {
            number
            for number, name in enumerate(names)
            if number == named_by or (is_leftover(name) and counts_rows(frame.iloc[:, number]))
        }
    if named_by > 0:
        logger.warning("%s: the names of the rows are in column %r", path, names[named_by])
    kept = [number for number in range(frame.shape[1]) if number not in left_out]
    return frame.iloc[:, kept].set_axis(index, axis=0) if left_out else frame


def _find_names_in_parquet(path: Path, frame: pd.DataFrame) -> int:
    names = as_names(frame.columns)
    textual = text_columns(frame)
    # Of several, as gene and gene type, the first that tells all rows apart.
    unique = [number for number in textual if frame.iloc[:, number].is_unique]
    leftover = [number for number in textual if is_leftover(names[number])]
    for candidates in (leftover, unique, textual):
        if candidates:
            return candidates[0]
    # Integers that tell rows apart are identifiers, such as Entrez's, where the values are no integers.
    for number in (0, frame.shape[1] - 1):
        cells = frame.iloc[:, number]
        others = [dtype for at, dtype in enumerate(frame.dtypes) if at != number]
        integer = pd.api.types.is_integer_dtype(cells.dtype) and not is_row_number(pd.Index(cells))
        if integer and cells.is_unique and not all(map(pd.api.types.is_integer_dtype, others)):
            return number
    raise DatasetError(
        f"{path} has no names for its rows: the first column, {names[0]!r}, holds values such as "
        f"{frame.iloc[0, 0]!s}. Write the table with its index, or with the names as texts in its first "
        f"column."
    )


def _text_in_matrix(path: Path, row: str, column: str, text: str) -> str:
    return (
        f"{path} holds text instead of a number at row {row!r}, column {column!r}: {text!r}. "
        f"Correct the cell, or leave it empty where nothing was measured."
    )


def _is_fraction(name: str) -> bool:
    return _is_number(name) and not float(name).is_integer()


def _check_names(path: Path, names: Sequence[str], axis: str, kind: str) -> None:
    index = pd.Index(names)
    nameless = index.isna() | (index.str.strip() == "")
    if nameless.any():
        raise DatasetError(
            f"{path}: {axis} number {int(nameless.argmax()) + 1} has no {'' if kind == 'name' else f'{kind} '}name. Name it or delete it."
        )
    if all(map(_is_fraction, names)):
        raise DatasetError(
            f"{path} has no {'' if kind == 'name' else f'{kind} '}names in its {axis}s, but numbers such as {names[0]}: write the names "
            f"into the first {'column' if axis == 'row' else 'line'}."
        )
    if not index.is_unique:
        twice = list(index[index.duplicated()].unique()[:EXAMPLES])
        doubt = f"; if {axis}s are not {kind}s, change `orientation` in the catalog"
        raise DatasetError(
            f"{path} holds duplicate {kind}s in its {axis}s: {', '.join(map(repr, twice))}. Keep one "
            f"of each{'' if kind == 'name' else doubt}."
        )
