"""How tables and figures are shown, and the chapters they stand in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

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
class Headline:
    """What the summary of the report says of a table.

    Attributes
    ----------
    table
        Name of the table.
    sentences
        From the table, and modality to its name, to sentences.
    columns
        Columns that these read.
    """

    table: str
    sentences: Callable[[pd.DataFrame, Mapping[str, str]], list[str]]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A chapter of the report, or what a study adds to the chapter before it.

    Attributes
    ----------
    title
        Its heading; empty for one that goes on with the chapter before it.
    text
        What was done and how to read it, a paragraph.
    views
        Tables and figures in the order of the page.
    command
        Arguments of ``kedro run`` that make them.
    headlines
        What the summary says.
    """

    title: str = ""
    text: str = ""
    views: tuple[TableView | FigureView, ...] = ()
    command: str = ""
    headlines: tuple[Headline, ...] = ()

    def continued(self, other: "Section") -> "Section":
        """Return the chapter with the views and headlines of another section behind its own."""
        views = (replace(view, command=view.command or other.command) for view in other.views)
        return replace(
            self, views=(*self.views, *views), headlines=self.headlines + other.headlines
        )
