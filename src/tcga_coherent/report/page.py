"""The report as one web page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import Any

import pandas as pd
import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, StrictUndefined

from tcga_coherent.report.build import Chapter
from tcga_coherent.report.display import Display
from tcga_coherent.report.provenance import format_duration, seeds, time_by_pipeline

# Longer tables are folded, so that the story stays in sight.
ROWS_IN_SIGHT = 40


@dataclass(frozen=True)
class Provenance:
    """How a report came about.

    Attributes
    ----------
    environment
        Name of the environment.
    parameters
        All parameters.
    versions
        Library to version.
    times
        Columns ``node``, ``pipeline``, ``seconds``, ``finished``.
    """

    environment: str
    parameters: Mapping[str, Any]
    versions: Mapping[str, str]
    times: pd.DataFrame


def render(
    headlines: Sequence[str],
    chapters: Sequence[Chapter],
    left_out: Sequence[str],
    further: Sequence[str],
    provenance: Provenance,
    release_card: str,
    card_outdated: str = "",
) -> str:
    """Return the page.

    Parameters
    ----------
    headlines
        Sentences of the summary.
    chapters
        Sections with their contents.
    left_out
        What could not be computed, and why.
    further
        Names of tables that are not shown.
    provenance
        Settings, versions and times.
    release_card
        The card of the models; empty where none was written.
    card_outdated
        Why a card that was written is not that of the models at hand.
    """
    page = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page.filters["groups"] = header_groups
    page.filters["duration"] = format_duration
    page.tests["table"] = lambda content: isinstance(content, Display)
    template = files(__package__).joinpath("template.html").read_text(encoding="utf-8")
    return page.from_string(template).render(
        headlines=headlines,
        chapters=chapters,
        left_out=left_out,
        further=further,
        release_card=release_card,
        card_outdated=card_outdated,
        environment=provenance.environment,
        versions=provenance.versions,
        seeds=seeds(provenance.parameters),
        pipelines=time_by_pipeline(provenance.times),
        times=provenance.times.to_dict("records"),
        settings=yaml.safe_dump(dict(provenance.parameters), sort_keys=False, allow_unicode=True),
        rows_in_sight=ROWS_IN_SIGHT,
    )


def header_groups(shown: Display) -> list[tuple[str, int]]:
    """Return each header above several columns with their number; nothing where there is none."""
    groups = [
        (name, len(list(columns))) for name, columns in groupby(shown.cells.columns, lambda c: c[0])
    ]
    return groups if any(name for name, _ in groups) else []
