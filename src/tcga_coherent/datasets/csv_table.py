"""Tables as CSV files in which names stay texts."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

# Columns of names that a user gives: what looks like a number is none.
NAMES = (
    *("cancer_type", "feature", "patient_id", "examples"),
    *("modality", "target", "source", "removed"),
)
# What spreadsheets take for the start of a formula, and the apostrophe that stops them, which may be a name's own.
FORMULA = re.compile(r"'*[=+\-@\t\r]")


def read_table(path: Path, **options: Any) -> pd.DataFrame:
    """Read a table that :func:`disarm_formulas` was written from.

    Parameters
    ----------
    path
        A CSV file.
    options
        Further arguments of ``pandas.read_csv``.

    Returns
    -------
    DataFrame
        Empty cells are missing; ``NA``, ``nan`` and ``None`` are texts, and names are texts even where
        they look like numbers.
    """
    names = dict.fromkeys(NAMES, str)
    frame = pd.read_csv(
        path, encoding="utf-8", keep_default_na=False, na_values=[""], dtype=names, **options
    )
    return _map_texts(
        frame, lambda text: text[1:] if text[:1] == "'" and FORMULA.match(text) else text
    )


def disarm_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text is run as a formula by a spreadsheet.

    Parameters
    ----------
    frame
        Texts that begin with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return get an apostrophe
        before them; numbers stay.
    """
    return _map_texts(frame, lambda text: f"'{text}" if FORMULA.match(text) else text)


def _map_texts(frame: pd.DataFrame, change: Any) -> pd.DataFrame:
    def changed(cell: Any) -> Any:
        return change(cell) if isinstance(cell, str) else cell

    changed_frame = frame.copy(deep=False)
    for name in frame.select_dtypes(include=["object", "string", "category"]):
        changed_frame[name] = frame[name].map(changed, na_action="ignore")
    return changed_frame
