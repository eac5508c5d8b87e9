"""Fill the sections with what there is, and say what there is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tcga_coherent.figures.attempt import attempt
from tcga_coherent.report.display import NOTE, Display, display
from tcga_coherent.report.parts import Parts
from tcga_coherent.report.views import FigureView, Section, TableView


@dataclass(frozen=True)
class ShownFigure:
    """A figure with its view."""

    view: FigureView
    data_uri: str


@dataclass(frozen=True)
class Chapter:
    """A section with its contents.

    Attributes
    ----------
    section
        What it is about.
    contents
        Tables and figures that exist, in the order of the section.
    missing
        Command to the names of what it would make.
    """

    section: Section
    contents: tuple[Display | ShownFigure, ...]
    missing: Mapping[str, tuple[str, ...]]

    @property
    def anchor(self) -> str:
        """Name for links to the chapter."""
        return "-".join(self.section.title.lower().split())


def fill(sections: Sequence[Section], parts: Parts, modalities: Mapping[str, str]) -> list[Chapter]:
    """Return the sections with their tables and figures.

    Parameters
    ----------
    sections
        What to show.
    parts
        What exists.
    modalities
        Modality to its name in tables.
    """
    return [_chapter(section, parts, modalities) for section in sections]


def _chapter(section: Section, parts: Parts, modalities: Mapping[str, str]) -> Chapter:
    contents: list[Display | ShownFigure] = []
    missing: dict[str, list[str]] = {}
    for view in section.views:
        reason = f" ({parts.outdated[view.name]})" if view.name in parts.outdated else ""
        if isinstance(view, TableView) and view.name in parts.tables:
            shown: Display | str = attempt(
                f"The table {view.name}", partial(_shown_table, view, parts, modalities), str
            )
            if isinstance(shown, Display):
                contents.append(shown)
                continue
            reason = f" ({shown})"
        elif isinstance(view, FigureView) and view.name in parts.figures:
            contents.append(ShownFigure(view, parts.figures[view.name]().data_uri))
            continue
        what = "table" if isinstance(view, TableView) else "figure"
        command = f"kedro run --env {parts.environment} {view.command or section.command}"
        missing.setdefault(command, []).append(f"{what} {view.name}{reason}")
    return Chapter(
        section,
        tuple(contents),
        {command: tuple(dict.fromkeys(names)) for command, names in missing.items()},
    )


def _shown_table(view: TableView, parts: Parts, modalities: Mapping[str, str]) -> Display | str:
    try:
        return display(parts.tables[view.name](), view, modalities)
    except KeyError as column:
        return f"made by another version: it has no column {column}"


def without_a_place(sections: Sequence[Section], parts: Parts) -> list[str]:
    """Return the names of tables that exist and that no section shows.

    Parameters
    ----------
    sections
        What is shown.
    parts
        What exists.
    """
    shown = {
        view.name for section in sections for view in section.views if isinstance(view, TableView)
    }
    return sorted(set(parts.tables) - shown)


def left_out(sections: Sequence[Section], parts: Parts) -> list[str]:
    """Return one sentence for each part that could not be computed, with its reason.

    Parameters
    ----------
    sections
        What is shown.
    parts
        Tables; a row that was skipped has the reason in its column ``note``.
    """
    names = dict.fromkeys(
        view.name for section in sections for view in section.views if isinstance(view, TableView)
    )
    return [
        sentence
        for name in names
        if name in parts.tables
        for sentence in attempt(
            f"The list of what {name} leaves out",
            partial(_notes, name, parts),
            lambda reason: [reason],
        )
    ]


def _notes(name: str, parts: Parts) -> list[str]:
    table = parts.tables[name]()
    if NOTE not in table:
        return []
    notes = table[NOTE].fillna("").astype(str)
    if "value" in table:
        # A note beside a value explains it.
        notes = notes.where(table["value"].isna(), "")
    skipped = table[notes != ""]
    keys = skipped.select_dtypes(include=["object", "string"]).drop(columns=NOTE, errors="ignore")
    found = []
    for note, rows in keys.groupby(notes[notes != ""], sort=False):
        values = {key: [v for v in rows[key].dropna().unique() if v != ""] for key in rows}
        which = "; ".join(f"{key} {', '.join(map(str, v))}" for key, v in values.items() if v)
        found.append(f"{name}{f' ({which})' if which else ''}: {note}")
    return found
