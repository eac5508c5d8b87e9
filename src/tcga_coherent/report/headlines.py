"""The numbers that the summary of the report names first, as sentences."""

from collections.abc import Mapping, Sequence
from functools import partial

from tcga_coherent.figures.attempt import attempt
from tcga_coherent.report.parts import Parts
from tcga_coherent.report.views import Headline, Section


def headlines(
    sections: Sequence[Section], parts: Parts, modalities: Mapping[str, str]
) -> list[str]:
    """Return the sentences of all tables that exist.

    Parameters
    ----------
    sections
        What is shown, in the order of the summary.
    parts
        Tables.
    modalities
        Modality to its name in sentences.
    """
    return [
        sentence
        for section in sections
        for headline in section.headlines
        if headline.table in parts.tables
        for sentence in attempt(
            f"The summary of {headline.table}",
            partial(_sentences, headline, parts, modalities),
            lambda reason: [f"{reason}."],
        )
    ]


def _sentences(headline: Headline, parts: Parts, modalities: Mapping[str, str]) -> list[str]:
    table = parts.tables[headline.table]()
    lacking = [column for column in headline.columns if column not in table]
    if lacking:
        return [
            f"{headline.table}.csv was made by another version: it has no column {lacking[0]!r}."
        ]
    return headline.sentences(table, modalities)
