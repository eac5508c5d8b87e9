"""A clinical table of samples or patients x columns, as text or parquet."""

import csv
import io
import logging
import re
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.matrix import MISSING
from tcga_coherent.datasets.raw.parquet_table import (
    as_names,
    counts_rows,
    flatten_index,
    is_leftover,
    is_row_number,
    read_parquet_table,
)
from tcga_coherent.datasets.raw.text_files import (
    open_table,
    read_head,
    require_file,
    resolve_in_project,
    separator,
)

logger = logging.getLogger(__name__)

# How columns that name patients or their samples are called by GDC, cBioPortal, Xena and R.
ID_COLUMN = re.compile(
    r"^(?:#?_?(?:patient|sample|subject|participant|case|submitter)[_. ]?(?:id|name|barcode)?|ids?|barcode|"
    r"bcr_patient_barcode|(?:cases?[._])?submitter_id|row\.?names|__index_level_\d+__)$",
    re.IGNORECASE,
)
TCGA = r"^TCGA[-.][A-Z0-9]{2}[-.][A-Z0-9]{4}"


def read_clinical_table(path: Path, hint: str = "", id_column: str | None = None) -> pd.DataFrame:
    """Read a table with a column or index that names patients or samples, and columns of any type.

    Parameters
    ----------
    path
        ``.parquet``, or ``.tsv``, ``.tab``, ``.txt`` or ``.csv``, with or without ``.gz``.
    hint
        How to get the file, added to the error when it is absent.
    id_column
        Column that names patients or samples. None takes, of these, the first there is: the index of
        a parquet file; the first column of TCGA barcodes only; the first column, where its cells
        differ; the first column called as ids are; the first column. Where that is not the first column, the log says so.

    Returns
    -------
    pandas.DataFrame
        Index named ``sample``; the cells of a text file are strings or missing.

    Raises
    ------
    DatasetError
        When the file is absent, empty, truncated, a web page, not a table, has two columns of one
        name or a quotation mark that swallows lines, or has no column `id_column`.
    """
    require_file(path, hint)
    if path.suffix == ".parquet":
        frame = flatten_index(read_parquet_table(path), path)
    else:
        frame = _read_text(path)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DatasetError(f"{path} has two columns {twice!r}: keep one.")
    frame.columns = pd.Index(as_names(frame.columns))
    if is_row_number(frame.index) and frame.shape[1]:
        name = _find_ids(path, frame, id_column)
        frame = frame.set_index(name)
    elif id_column is not None:
        frame = frame.set_index(_require_column(path, frame, id_column))
    nameless = frame.index.isna() | (frame.index.astype(str).str.strip() == "")
    if nameless.any():
        raise DatasetError(
            f"{path}: row number {int(nameless.argmax()) + 1} has no patient or sample name in column "
            f"{str(frame.index.name)!r}. Name it or delete it."
        )
    frame.index = pd.Index(as_names(frame.index))
    return frame.rename_axis(index="sample", columns=None)


def _find_ids(path: Path, frame: pd.DataFrame, id_column: str | None) -> str:
    """Return the column that names patients or samples."""
    if id_column is not None:
        return _require_column(path, frame, id_column)
    of_tcga = [name for name in frame.columns if _holds_barcodes(frame[name])]
    usable = [
        name
        for name in frame.columns
        if not (is_leftover(name) and counts_rows(frame[name]) and frame.shape[1] > 1)
    ]
    first = usable[:1] if frame[usable[0]].is_unique else []
    called_so = [name for name in usable if ID_COLUMN.match(name)]
    name = next(iter([*of_tcga, *first, *called_so, *usable]))
    if name != frame.columns[0]:
        logger.warning(
            "%s: patients are named by column %r; `id_column` of the catalog entry chooses another",
            path,
            name,
        )
    return str(name)


def _holds_barcodes(cells: pd.Series) -> bool:
    present = cells.dropna()
    return bool(len(present)) and bool(present.astype(str).str.match(TCGA, case=False).all())


def _require_column(path: Path, frame: pd.DataFrame, name: str) -> str:
    if name not in frame.columns:
        raise DatasetError(
            f"{path} has no column {name!r}, which `id_column` of the catalog entry names; it has "
            f"{', '.join(frame.columns[:20])}."
        )
    return name


def _read_text(path: Path) -> pd.DataFrame:
    """Read all cells as texts, and find where rows are not what they seem."""
    delimiter = separator(path)
    head = read_head(path, delimiter)
    n_columns = len(head.names)
    rows: list[list[str | None]] = []
    short: list[int] = []
    with open_table(path) as file:
        for _ in range(head.lines):
            file.readline()
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        line = head.lines
        try:
            for cells in reader:
                start, line = line + 1, head.lines + reader.line_num
                _refuse_swallowed_lines(path, cells, start, line, delimiter, n_columns)
                if len(cells) > n_columns:
                    raise DatasetError(
                        f"{path} is not a table: line {start} has {len(cells)} cells, the header names "
                        f"{n_columns}. Correct the line."
                    )
                if not any(cell.strip() for cell in cells) or _repeats_header(cells, head.names):
                    continue
                if len(cells) < n_columns:
                    short.append(start)
                cells += [""] * (n_columns - len(cells))
                rows.append([None if cell.strip() in MISSING else cell for cell in cells])
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{path} is not a table: the row that begins at line {line + 1} cannot be read ({error}). "
                f"Is a quotation mark left open there?"
            ) from error
        finally:
            text.detach()
    if short:
        logger.warning(
            "%s: %d rows have fewer cells than the header, such as that of line %d: the last are missing",
            path,
            len(short),
            short[0],
        )
    return pd.DataFrame(rows, columns=pd.Index(head.names), dtype=object)


def _refuse_swallowed_lines(
    path: Path, cells: list[str], start: int, end: int, delimiter: str, n_columns: int
) -> None:
    """Stop at a quoted cell that holds whole rows: its quotation mark was not meant as one."""
    swallowed = max((cell.count(delimiter) for cell in cells if "\n" in cell), default=0)
    if swallowed >= n_columns - 1:
        raise DatasetError(
            f"{path}: a quotation mark is left open in line {start}, so that all up to line {end} "
            f"becomes one cell. Close or delete the mark."
        )


def _repeats_header(cells: list[str], names: list[str]) -> bool:
    """Say whether a row is one of the two that GDC's biotab files have below their header."""
    return cells == names or any(cell.startswith("CDE_ID:") for cell in cells)


class ClinicalTableDataset(Raw, AbstractDataset[None, pd.DataFrame]):
    """A user's own clinical table; see :func:`read_clinical_table`.

    Parameters
    ----------
    filepath
        File to read.
    hint
        Sentence added to the error about an absent file: how to point at another one.
    id_column
        Column that names patients or samples, where :func:`read_clinical_table` finds another.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        filepath: str,
        hint: str = "",
        id_column: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = resolve_in_project(filepath)
        self._hint = hint
        self._id_column = id_column
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the table."""
        return read_clinical_table(self._filepath, self._hint, self._id_column)

    def raw_files(self) -> dict[str, Path]:
        """Return the file."""
        return {"clinical": self._filepath} if self._filepath.is_file() else {}

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
