"""Where tiles come from, and how they are stored slide by slide."""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Protocol

import pandas as pd

from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore
from tcga_coherent.histology.tiling.parameters import TilingParameters

logger = logging.getLogger(__name__)

# To be raised when the same slide and parameters give other tiles.
TILING_VERSION = 1


class TileSource(Protocol):
    """Slides that can be cut into tiles."""

    @property
    def slides(self) -> Sequence[str]:
        """Names of the slides."""

    def fingerprint(self, slide: str) -> str:
        """Return what tells whether a slide is the same as before."""

    def cut(self, slide: str, parameters: TilingParameters) -> tuple[pd.DataFrame, list[bytes]]:
        """Return a row a tile (``slide``, ``patient_id``, ``x``, ``y``), and the encoded images.

        Raises
        ------
        ValueError
            Naming a slide that cannot be used.
        """


def store_slides(
    source: TileSource, stored: TileStore, parameters: TilingParameters
) -> Iterator[TileBatch | AllBatches]:
    """Yield the tiles of every slide that is not stored yet, and then the names of all.

    Parameters
    ----------
    source
        Of the tiles.
    stored
        What an earlier run has left.
    parameters
        Of the tiling.

    Raises
    ------
    ValueError
        Naming a slide that cannot be used, unless such are skipped; when there are no tiles at all.
    """
    slides = list(source.slides)
    identities = {slide: _identity(source, slide, parameters) for slide in slides}
    known = stored.identities
    n_tiles = 0
    for slide in slides:
        if known.get(slide) == identities[slide]:
            n_tiles += stored.reports[slide]["tiles"]
            continue
        reason, rows, images = "", pd.DataFrame(), list[bytes]()
        try:
            rows, images = source.cut(slide, parameters)
            if not images:
                raise ValueError(f"The slide {slide} has no tile to keep.")
        except ValueError as error:
            if parameters.bad_slides == "stop":
                raise ValueError(
                    f"{error} To go on without such slides, set slide_tiling.bad_slides to skip."
                ) from error
            reason = str(error)
            logger.warning("Skipped: %s", reason)
        n_tiles += len(images)
        report = {"slide": slide, "tiles": len(images), "reason": reason}
        yield TileBatch(slide, identities[slide], rows, images, report)
    if not n_tiles:
        raise ValueError("No slide has any tile: see the warnings above for the reasons.")
    yield AllBatches(tuple(slides))


def quality_table(stored: TileStore) -> pd.DataFrame:
    """Return a row a slide: ``slide``, ``tiles``, and the ``reason`` why there are none."""
    return pd.DataFrame(list(stored.reports.values())).sort_values("slide", ignore_index=True)


def _identity(source: TileSource, slide: str, parameters: TilingParameters) -> str:
    settings = {k: v for k, v in asdict(parameters).items() if k != "bad_slides"}
    text = json.dumps([TILING_VERSION, source.fingerprint(slide), settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
