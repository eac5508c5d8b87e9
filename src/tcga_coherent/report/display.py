"""From a tidy table of numbers to the one that people read.

Columns of one quantity become one: ``x_mean`` and ``x_std`` are shown as ``mean ± sd``, ``x_low`` and
``x_high`` as ``[low, high]`` behind it. What the paper reports (``paper_*``) keeps columns of its own
under a header of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.figures.palette import METHOD_LABELS
from tcga_coherent.report.labels import COLUMN_LABELS, DIGITS, P_VALUE
from tcga_coherent.report.views import TableView

PAPER = "paper, another cohort"
PAPER_PREFIX = "paper_"
ABSENT = "–"
# Column that says why a row could not be computed.
NOTE = "note"
# Elsewhere "mean" is no method.
METHOD_COLUMNS = ("method", "set", "strategy", "treatment", "reference")
# A report is passed on: it names no patient, whatever a table holds.
NAMING_PATIENTS = ("patient_id", "examples")


@dataclass(frozen=True)
class Display:
    """A table in the form that is read.

    Attributes
    ----------
    name
        Name of the CSV file without its ending.
    key
        Name that no other display has.
    caption
        Its caption.
    cells
        Text of each cell; columns are pairs of a group (may be empty) and a header.
    numeric
        Of each column whether it holds numbers.
    """

    name: str
    key: str
    caption: str
    cells: pd.DataFrame
    numeric: tuple[bool, ...]


def display(table: pd.DataFrame, view: TableView, modalities: Mapping[str, str]) -> Display:
    """Return `table` as `view` shows it.

    Parameters
    ----------
    table
        A table of the reporting folder.
    view
        How it is shown.
    modalities
        Modality to its name in tables.
    """
    table = view.rows(table)
    # Reasons stand in a list of their own; they would keep rows from standing side by side.
    hidden = (*NAMING_PATIENTS, NOTE) if view.across else NAMING_PATIENTS
    table = table.drop(columns=[name for name in hidden if name in table])
    # Long tables have one quantity a row, whose interval needs no name of its own.
    if "value" in table:
        table = table.rename(columns={"low": "value_low", "high": "value_high"})
    pieces: dict[tuple[str, str], pd.Series] = {}
    numeric: dict[tuple[str, str], bool] = {}
    for base in _quantities(table, view.columns):
        for group, prefix in (("", ""), (PAPER, PAPER_PREFIX)):
            cells = _cells(table, prefix + base, view.digits, modalities)
            if cells is not None and (cells.empty or (cells != ABSENT).any()):
                header = (group, COLUMN_LABELS.get(base, base.replace("_", " ")))
                pieces[header] = cells
                numeric[header] = base not in table or _is_number(table[base])
    frame = pd.DataFrame(pieces, index=table.index)
    frame.columns = pd.MultiIndex.from_tuples(pieces, names=["group", "header"])
    headers = [("", COLUMN_LABELS.get(name, name.replace("_", " "))) for name in view.across]
    if headers and len(frame) and set(headers) < set(pieces):
        keys = [column for column in pieces if not numeric[column] and column not in headers]
        frame = _side_by_side(frame, keys, headers, view.name)
    # The paper's columns stand together, behind all that is computed here.
    order = sorted(range(frame.shape[1]), key=lambda i: frame.columns[i][0].startswith(PAPER))
    frame = frame.iloc[:, order]
    return Display(
        view.name,
        view.key or view.name,
        view.caption,
        frame.reset_index(drop=True),
        tuple(numeric.get(column, True) for column in _headers(frame)),
    )


def format_number(value: float, digits: int) -> str:
    """Write a number with `digits` behind the point; NaN becomes a dash.

    Parameters
    ----------
    value
        Any number.
    digits
        Digits behind the point; from 1,000 on there are none.
    """
    if np.isnan(value):
        return ABSENT
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}f}"
    # What rounds to nothing has no sign.
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def format_p_value(value: float, digits: int) -> str:
    """Write a p value, one too small for `digits` as a power of ten."""
    if 0 < value < 0.5 * 10.0**-digits:
        return f"{value:.0e}".replace("-0", "-").replace("-", "−")
    return format_number(value, digits)


def with_interval(row: pd.Series, quantity: str, centre: str = "") -> str:
    """Write a quantity of a table's row with its interval; `centre` ends the column of its value."""
    value, low, high = (format_number(row[quantity + end], 3) for end in (centre, "_low", "_high"))
    return f"{value} [{low}, {high}]"


def join_labels(names: str, modalities: Mapping[str, str]) -> str:
    """Write modality names that are joined by ``+`` by their labels."""
    return " + ".join(modalities[name] for name in names.split("+"))


def _quantities(table: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    """Names of columns without the endings and the prefix that :func:`_cells` puts together."""
    names = dict.fromkeys(column.removeprefix(PAPER_PREFIX) for column in table.columns)
    found = dict.fromkeys(_base(name, names) for name in names)
    if not wanted:
        return list(found)
    return [name for name in wanted if name in found]


def _base(name: str, names: Collection[str]) -> str:
    for ending in ("_std", "_low", "_high", "_mean"):
        stem = name.removesuffix(ending)
        # A mean of draws is a quantity of its own: only with its spread is it the mean of something.
        siblings = ("_std", "_low") if ending == "_mean" else ("", "_mean")
        if stem != name and any(f"{stem}{sibling}" in names for sibling in siblings):
            return stem
    return name


def _cells(
    table: pd.DataFrame, base: str, digits: int, modalities: Mapping[str, str]
) -> pd.Series | None:
    """Text of a quantity with its spread; None where the table lacks it."""
    centre = base if base in table else f"{base}_mean"
    if centre not in table:
        return None
    if not _is_number(table[centre]):
        words = METHOD_LABELS if base in METHOD_COLUMNS else {}
        values = table[centre].astype(object)
        return values.map(lambda value: words.get(value) or _text(value, modalities))
    endings = [ending for ending in ("_std", "_low", "_high") if f"{base}{ending}" in table]
    if not endings and (table[centre].dropna() % 1 == 0).all():
        digits = 0
    digits = DIGITS.get(base.removeprefix(PAPER_PREFIX), digits)
    write = format_p_value if P_VALUE.match(base) else format_number
    cells, *spread = (
        table[column].astype(object).map(lambda value: write(value, digits))
        for column in (centre, *(f"{base}{ending}" for ending in endings))
    )
    spreads = dict(zip(endings, spread, strict=True))
    if "_std" in spreads:
        cells = cells.where(spreads["_std"] == ABSENT, cells + " ± " + spreads["_std"])
    if "_low" in spreads and "_high" in spreads:
        interval = " [" + spreads["_low"] + ", " + spreads["_high"] + "]"
        cells = cells.where(spreads["_low"] == ABSENT, cells + interval)
    return cells


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def _text(value: Any, modalities: Mapping[str, str]) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if pd.isna(value) or value == "":
        return ABSENT
    if set(str(value).split("+")) <= set(modalities):
        return join_labels(value, modalities)
    # A name, not a sentence, which may quote a parameter.
    return str(value) if " " in str(value) else str(value).replace("_", " ")


def _headers(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return [(str(column[0]), str(column[1])) for column in frame.columns]


def _side_by_side(
    frame: pd.DataFrame, keys: list[tuple[str, str]], across: list[tuple[str, str]], name: str
) -> pd.DataFrame:
    """Turn the values of the columns `across` into groups of columns, all in the order they come in."""
    rows = pd.MultiIndex.from_frame(frame[keys])
    groups = frame[across].agg(", ".join, axis=1)
    if frame[[*keys, *across]].duplicated().any():
        raise ValueError(
            f"The report cannot put rows of {name} side by side: several have the same "
            f"{', '.join(header for _, header in [*keys, *across])}."
        )
    places = rows.unique()
    wide = {key: pd.Series(places.get_level_values(i)) for i, key in enumerate(keys)}
    values = [column for column in _headers(frame) if column not in [*keys, *across]]
    for group in groups.unique():
        chosen = (groups == group).to_numpy()
        for own, header in values:
            cells = frame.loc[chosen, [(own, header)]].set_axis(rows[chosen]).iloc[:, 0]
            cells = cells.reindex(places).fillna(ABSENT).reset_index(drop=True)
            if not (cells == ABSENT).all():
                wide[f"{own}: {group}" if own else group, header] = cells
    result = pd.DataFrame(dict(enumerate(wide.values())))
    result.columns = pd.MultiIndex.from_tuples(wide, names=["group", "header"])
    return result
