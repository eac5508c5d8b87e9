"""Inputs of a pipeline a lane, from what tests make of all lanes at once."""

from collections.abc import Callable, Mapping
from typing import Any

Loaders = Mapping[str, Callable[[], Any]]


def by_lane(**kinds: Loaders) -> dict[str, Any]:
    """Return ``latents/cna`` to its content of ``latents`` to lane to a function that loads it."""
    return {
        f"{kind}/{lane}": load()
        for kind, loaders in kinds.items()
        for lane, load in loaders.items()
    }


def draws_by_lane(draws: Loaders) -> dict[str, dict[str, Callable[[], Any]]]:
    """Return ``draws/cna`` to its partitions of ``cna/<method>/<sources>`` to a function that loads them."""
    lanes: dict[str, dict[str, Callable[[], Any]]] = {}
    for name, load in draws.items():
        target, part = name.split("/", maxsplit=1)
        lanes.setdefault(f"draws/{target}", {})[part] = load
    return lanes
