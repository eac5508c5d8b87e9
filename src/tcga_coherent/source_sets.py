"""Which sets of sources a target can be generated from, and how they are named."""

from collections.abc import Sequence
from itertools import combinations

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


def generative_methods(sources: Sequence[str]) -> tuple[str, ...]:
    """Return the generative methods that use exactly these sources.

    Single-condition models take one source, the coherent ensemble needs two to agree.
    """
    return ("single", "multi") if len(sources) == 1 else ("multi", "coherent")


def join_sources(sources: Sequence[str]) -> str:
    """Name a source set, as in ``rnaseq+rppa``."""
    return "+".join(sources)


def partition_name(target: str, method: str, sources: Sequence[str]) -> str:
    """Name a partition of ``test_draws``, as in ``cna/coherent/rnaseq+rppa``."""
    return f"{target}/{method}/{join_sources(sources)}"
