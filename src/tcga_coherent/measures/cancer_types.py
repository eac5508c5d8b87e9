"""Tables with a row for each cancer type and one over all of them.

A column ``every_type`` tells them apart, since a cancer type may have any name.
"""

from collections.abc import Iterable

import pandas as pd


def name_of_all(cancer_types: Iterable[str]) -> str:
    """Return what the row over all types is called: ``all``, in parentheses where a type has that name."""
    taken, name = set(cancer_types), "all"
    while name in taken:
        name = f"({name})"
    return name


def type_groups(table: pd.DataFrame) -> list[str]:
    """Return the names of rows in the order of figures: all types together, then each by its name.

    Parameters
    ----------
    table
        Columns ``cancer_type`` and ``every_type``.
    """
    together = table["every_type"].astype(bool)
    names = table["cancer_type"]
    return [*names[together].unique(), *sorted(names[~together].unique())]
