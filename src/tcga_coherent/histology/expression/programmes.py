"""Gene programmes: genes that go together, and what they should move in a tile."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import pandas as pd
from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT

Measure = Literal["nuclear_count", "nuclear_area", "lymphocyte_share", "eosin", "haematoxylin"]


@dataclass(frozen=True, config=STRICT)
class Programme:
    """A gene programme.

    Attributes
    ----------
    genes
        Names, or patterns such as ``KRT*``.
    measure
        What it should move in a tile; None where nothing.
    """

    genes: tuple[str, ...] = Field(min_length=1)
    measure: Measure | None = None


Programmes = Mapping[str, Programme]
# An environment takes a programme of base away by null.
ProgrammesParameters = dict[str, Programme | None]
PROGRAMMES = TypeAdapter(ProgrammesParameters)


def parse_programmes(parameters: Mapping[str, Any]) -> Programmes:
    """Return the ``gene_programmes`` parameters."""
    found = PROGRAMMES.validate_python(dict(parameters))
    return {name: programme for name, programme in found.items() if programme is not None}


def programme_scores(z_scores: pd.DataFrame, programmes: Programmes) -> pd.DataFrame:
    """Return the mean z score of each programme's genes, patients x programmes.

    Raises
    ------
    ValueError
        When a programme has no gene in the expression.
    """
    scores = {}
    for name, programme in programmes.items():
        genes = [
            gene
            for gene in z_scores.columns
            if any(fnmatchcase(str(gene), pattern) for pattern in programme.genes)
        ]
        if not genes:
            raise ValueError(
                f"The programme {name} has no gene in the expression, which has "
                f"{', '.join(map(str, z_scores.columns[:3]))}: mend gene_programmes.{name}.genes."
            )
        scores[name] = z_scores[genes].mean(axis=1)
    return pd.DataFrame(scores, index=z_scores.index)
