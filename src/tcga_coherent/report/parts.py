"""What a report is made of: tables and figures by name."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, TypeVar

import pandas as pd

TABLE_SUFFIX = "_table"
FIGURE_SUFFIX = "_figure"
# Name of the release card among what is outdated.
CARD = "release_card"

Part = TypeVar("Part")


@dataclass(frozen=True)
class Image:
    """A drawn figure.

    Attributes
    ----------
    mime
        Its format.
    content
        Its bytes.
    """

    mime: Literal["image/svg+xml", "image/png"]
    content: bytes

    @property
    def data_uri(self) -> str:
        """The figure as an address, so that a page needs no other file."""
        return f"data:{self.mime};base64,{base64.b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True)
class Parts:
    """Tables and figures that exist.

    Attributes
    ----------
    environment
        Environment that made them; names their folder and stands in commands.
    tables
        Name to a function that loads the table.
    figures
        Name to a function that loads the figure.
    release_card
        The card of the models, in Markdown; empty where none was written.
    outdated
        Name of a table or figure that is there and is left out, to the reason: it does not belong to the
        models at hand. The card goes by :data:`CARD`.
    """

    environment: str
    tables: Mapping[str, Callable[[], pd.DataFrame]]
    figures: Mapping[str, Callable[[], Image]]
    release_card: str = ""
    outdated: Mapping[str, str] = field(default_factory=dict)

    def with_made(self, made: Mapping[str, pd.DataFrame | str]) -> "Parts":
        """Return the parts with those of `made` in the place of files of the same name.

        Parameters
        ----------
        made
            ``<name>_table`` to a frame, ``<name>_figure`` to an SVG.
        """
        tables, figures = dict(self.tables), dict(self.figures)
        for name, part in made.items():
            if isinstance(part, str):
                image = Image("image/svg+xml", part.encode("utf-8"))
                figures[name.removesuffix(FIGURE_SUFFIX)] = partial(_identity, image)
            else:
                tables[name.removesuffix(TABLE_SUFFIX)] = partial(_identity, part)
        return replace(self, tables=tables, figures=figures)


def _identity(part: Part) -> Part:
    return part
