"""Which sets of sources a target can be generated from, and how they are named."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal

import pandas as pd

# All, or those of the cohort: each source alone, all of them, and what patients who lack the target have.
Chosen = Literal["all", "cohort"]
# Target to its sets of sources, small sets first.
SourceSets = Mapping[str, Sequence[tuple[str, ...]]]

GENERATIVE_METHODS = ("single", "multi", "coherent")


def source_sets(target: str, modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every non-empty set of the other modalities, small sets first.

    Parameters
    ----------
    target
        Modality to generate.
    modalities
        All modalities in the order of the parameters, which is also the order within a set.
    """
    others = [name for name in modalities if name != target]
    return [sources for size in range(1, len(others) + 1) for sources in combinations(others, size)]


def choose_source_sets(
    modalities: Iterable[str], presence: pd.DataFrame, chosen: Chosen
) -> SourceSets:
    """Return the sets of sources that each modality is generated and judged from.

    Of eight modalities, each has 127 sets; most of them are nobody's.

    Parameters
    ----------
    modalities
        Names in the order of the parameters.
    presence
        Boolean, patients x modalities.
    chosen
        The parameter ``source_sets``.
    """
    names = list(modalities)
    if chosen == "all":
        return {target: source_sets(target, names) for target in names}
    patterns = [
        [name for name, there in zip(names, row, strict=True) if there]
        for row in presence[names].drop_duplicates().itertuples(index=False)
    ]
    sets = {}
    for target in names:
        others = [name for name in names if name != target]
        found = {(name,) for name in others} | {tuple(others)}
        found |= {tuple(pattern) for pattern in patterns if pattern and target not in pattern}
        sets[target] = sorted(
            found, key=lambda sources: (len(sources), [names.index(name) for name in sources])
        )
    return sets


def generative_methods(sources: Sequence[str]) -> tuple[str, ...]:
    """Return the generative methods that use exactly these sources: single-condition denoisers take one."""
    return GENERATIVE_METHODS if len(sources) == 1 else GENERATIVE_METHODS[1:]


def join_sources(sources: Iterable[str]) -> str:
    """Name a source set, as in ``rnaseq+rppa``."""
    return "+".join(sources)


def split_sources(joined: str) -> tuple[str, ...]:
    """Return the sources of a set that :func:`join_sources` named."""
    return tuple(joined.split("+"))


def partition_name(target: str, method: str, sources: Sequence[str]) -> str:
    """Name a way to generate a target, such as a partition of ``test_draws``: ``cna/coherent/rnaseq+rppa``."""
    return f"{target}/{method}/{join_sources(sources)}"
