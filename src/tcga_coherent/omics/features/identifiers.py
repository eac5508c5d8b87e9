"""Names of features that say the same in other words: versions of Ensembl, and a user's own table of names."""

import re
from collections.abc import Mapping

import pandas as pd

ENSEMBL = re.compile(r"^ENS[A-Z]*[GTP]\d{6,}(\.\d+)?$")
VERSION = r"^(ENS[A-Z]*[GTP]\d{6,})\.\d+$"
# Names looked at to tell how features are called.
SOME = 200


def match_identifiers(
    labels: pd.Index, features: pd.Index, names: Mapping[str, str] | None = None
) -> pd.Index:
    """Return labels as the known features are called, and those of no known feature as they are.

    Parameters
    ----------
    labels
        Of an axis of a table.
    features
        Known ones.
    names
        What a table calls a feature to what is known of it, by name; taken first.

    Raises
    ------
    ValueError
        When `names` gives two labels the name of one feature.
    """
    found = pd.Series(labels.astype(str), index=labels)
    if names:
        found = found.map(lambda label: names.get(label, label))
        renamed = found[found.isin(features)]
        if renamed.duplicated().any():
            twice = renamed[renamed.duplicated()].iloc[0]
            first, second = renamed.index[renamed == twice][:2]
            raise ValueError(
                f"{first} and {second} are both called {twice} by the table of feature names: keep one of them."
            )
    bare = found.str.replace(VERSION, r"\1", regex=True)
    known = pd.Series(features.astype(str), index=features)
    known = known.str.replace(VERSION, r"\1", regex=True)
    # Of two versions of a gene nobody can say which is meant.
    known = known[~known.duplicated(keep=False)]
    by_bare = pd.Series(known.index, index=known.to_numpy())
    ambiguous = bare.duplicated(keep=False) | found.isin(features)
    matched = bare.where(~ambiguous).map(by_bare)
    return pd.Index(found.where(matched.isna(), matched).to_numpy())


def naming_of(labels: pd.Index) -> str:
    """Say in words how features are called."""
    some = [str(label) for label in labels[:SOME]]
    if some and all(ENSEMBL.match(label) for label in some):
        return "Ensembl identifiers"
    if some and all(label.isdigit() for label in some):
        return "Entrez numbers"
    return "names"
