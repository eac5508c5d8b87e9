"""Where tiles come from, and how they are stored slide by slide."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore
from tcga_coherent.histology.tiling.parameters import TileFilters, TilingParameters

logger = logging.getLogger(__name__)

# To be raised when the same slide and parameters give other tiles.
TILING_VERSION = 1


@dataclass(frozen=True, eq=False)
class CutSlide:
    """Tiles of a slide.

    Attributes
    ----------
    rows
        A row a tile: ``slide``, ``patient_id``, ``x``, ``y``, the corner in pixels of the finest level.
    images
        Encoded.
    report
        What there is to say of the slide.
    """

    rows: pd.DataFrame
    images: list[bytes]
    report: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Overview:
    """A slide as a whole.

    Attributes
    ----------
    image
        Height x width x 3.
    tissue
        Mask of it, height x width.
    pixels
        Pixels of the slide's finest level along one of the overview's.
    """

    image: NDArray[np.uint8]
    tissue: NDArray[np.bool_]
    pixels: float


class TileSource(Protocol):
    """Slides that can be cut into tiles."""

    @property
    def slides(self) -> Sequence[str]:
        """Names of the slides."""

    def fingerprint(self, slide: str) -> str:
        """Return what tells whether a slide is the same as before."""

    def cut(self, slide: str, parameters: TilingParameters) -> CutSlide:
        """Return the tiles of a slide.

        Raises
        ------
        ValueError
            Naming a slide that cannot be used.
        """

    def overview(self, slide: str, filters: TileFilters) -> Overview | None:
        """Return the slide as a whole; None where it was cut elsewhere."""


def store_slides(
    source: TileSource, stored: TileStore, parameters: TilingParameters, workers: int = 1
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
    workers
        Slides that are cut at a time; -1 is one a core.

    Raises
    ------
    ValueError
        Naming a slide that cannot be used, unless such are skipped; when there are no tiles at all.
    """
    slides = list(source.slides)
    identities = {slide: _identity(source, slide, parameters) for slide in slides}
    known = stored.identities
    new = [slide for slide in slides if known.get(slide) != identities[slide]]
    n_tiles = sum(stored.reports[slide]["tiles"] for slide in slides if slide not in new)
    # Reading, shrinking and encoding release Python's lock, so that threads are enough.
    cutting = Parallel(n_jobs=workers, prefer="threads", return_as="generator")
    found = cutting(delayed(_attempt)(source, slide, parameters) for slide in new)
    for slide, cut in zip(new, found, strict=True):
        reason = cut.report.get("reason", "")
        if reason and parameters.bad_slides == "stop":
            raise ValueError(
                f"{reason} To go on without such slides, set slide_tiling.bad_slides to skip."
            )
        if reason:
            logger.warning("Skipped: %s", reason)
        n_tiles += len(cut.images)
        report = {"slide": slide, "tiles": len(cut.images), **cut.report, "reason": reason}
        yield TileBatch(slide, identities[slide], cut.rows, cut.images, report)
    if not n_tiles:
        raise ValueError("No slide has any tile: see the warnings above for the reasons.")
    yield AllBatches(tuple(slides))


def quality_table(stored: TileStore) -> pd.DataFrame:
    """Return a row a slide: ``slide``, ``tiles``, and the ``reason`` why there are none."""
    return pd.DataFrame(list(stored.reports.values())).sort_values("slide", ignore_index=True)


def _attempt(source: TileSource, slide: str, parameters: TilingParameters) -> CutSlide:
    """Return the tiles of a slide, or none and the reason."""
    try:
        cut = source.cut(slide, parameters)
        if cut.images:
            return cut
        reason = f"The slide {slide} has no tile to keep: {dict(cut.report)}."
    except ValueError as error:
        reason = str(error)
    return CutSlide(pd.DataFrame(), [], {"reason": reason})


def _identity(source: TileSource, slide: str, parameters: TilingParameters) -> str:
    settings = {k: v for k, v in asdict(parameters).items() if k != "bad_slides"}
    text = json.dumps([TILING_VERSION, source.fingerprint(slide), settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
