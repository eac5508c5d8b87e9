"""A clinical table of samples or patients x columns, as text or parquet."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.matrix import MISSING
from tcga_coherent.datasets.text_files import (
    open_table,
    read_header,
    require_file,
    resolve_in_project,
    separator,
)


def read_clinical_table(path: Path, hint: str = "") -> pd.DataFrame:
    """Read a table with barcodes in its index or first column and columns of any type.

    Parameters
    ----------
    path
        ``.parquet``, or ``.tsv``, ``.tab``, ``.txt`` or ``.csv``, with or without ``.gz``.
    hint
        How to get the file, added to the error when it is absent.

    Returns
    -------
    pandas.DataFrame
        Index named ``sample``; the cells of a text file are strings or missing.

    Raises
    ------
    DatasetError
        When the file is absent, empty, truncated, a web page, not a table, or has two columns of one name.
    """
    require_file(path, hint)
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else _read_text(path)
    except (pa.ArrowInvalid, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} is not a table ({error}): copy it again.") from error
    if isinstance(frame.index, pd.RangeIndex) and frame.shape[1]:
        frame = frame.set_index(frame.columns[0])
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DatasetError(f"{path} has two columns {twice!r}: keep one.")
    frame.index = frame.index.astype(str)
    return frame.rename_axis(index="sample", columns=None)


def _read_text(path: Path) -> pd.DataFrame:
    delimiter = separator(path)
    names = read_header(path, delimiter)
    with open_table(path) as file:
        return pd.read_csv(
            file,
            sep=delimiter,
            skiprows=1,
            header=None,
            names=range(len(names)),
            index_col=0,
            dtype=str,
            keep_default_na=False,
            na_values=list(MISSING),
            encoding="utf-8-sig",
        ).set_axis(names[1:], axis=1)


class ClinicalTableDataset(AbstractDataset[None, pd.DataFrame]):
    """A user's own clinical table; see :func:`read_clinical_table`.

    Parameters
    ----------
    filepath
        File to read.
    hint
        Sentence added to the error about an absent file: how to point at another one.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self, *, filepath: str, hint: str = "", metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = resolve_in_project(filepath)
        self._hint = hint
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the table."""
        return read_clinical_table(self._filepath, self._hint)

    def save(self, data: None) -> None:
        """Refuse: raw data are never written."""
        raise DatasetError(f"{type(self).__name__} is read-only.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
