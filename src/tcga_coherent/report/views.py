"""How tables and figures are shown, and the chapters they stand in."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


def keep(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is."""
    return table


@dataclass(frozen=True)
class TableView:
    """How a table is shown.

    Attributes
    ----------
    name
        Name of the dataset without ``_table``, and of the CSV file.
    caption
        What is shown, in which unit, and what the spread is.
    columns
        Quantities in the order of the page, without endings such as ``_mean``; none stands for all.
        Those that a table lacks are left out. The paper's follow theirs.
    rows
        Chooses or orders the rows.
    across
        Columns whose values become headers, so that rows of one thing stand side by side.
    digits
        Digits behind the point.
    key
        Distinguishes two views of a table; empty for the only one.
    command
        Arguments of ``kedro run`` that make the table, where they are not its section's.
    """

    name: str
    caption: str
    columns: tuple[str, ...] = ()
    rows: Callable[[pd.DataFrame], pd.DataFrame] = keep
    across: tuple[str, ...] = ()
    digits: int = 3
    key: str = ""
    command: str = ""


@dataclass(frozen=True)
class FigureView:
    """How a figure is shown.

    Attributes
    ----------
    name
        Name of the dataset without ``_figure``, and of the SVG and PNG files.
    alt
        What is on it, for those who do not see it.
    caption
        How to read it.
    command
        Arguments of ``kedro run`` that draw the figure, where they are not its section's.
    """

    name: str
    alt: str
    caption: str
    command: str = ""


@dataclass(frozen=True)
class Section:
    """A chapter of the report.

    Attributes
    ----------
    title
        Its heading.
    text
        What was done and how to read it, a paragraph.
    views
        Tables and figures in the order of the page.
    command
        Arguments of ``kedro run`` that make them.
    """

    title: str
    text: str
    views: tuple[TableView | FigureView, ...]
    command: str
