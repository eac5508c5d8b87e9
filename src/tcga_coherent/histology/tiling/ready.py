"""Tiles that were cut elsewhere."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from tcga_coherent.histology.tiles import check_tile
from tcga_coherent.histology.tiling.parameters import TileFilters, TilingParameters
from tcga_coherent.histology.tiling.source import CutSlide

COLUMNS = ("slide", "patient_id", "x", "y", "image")


class ReadyTiles:
    """A :class:`~tcga_coherent.histology.tiling.source.TileSource` of tiles that are there.

    Parameters
    ----------
    tiles
        A row a tile: ``slide``, ``patient_id``, ``x``, ``y``, and ``image``, encoded.
    """

    def __init__(self, tiles: pd.DataFrame) -> None:
        self._of_slide = {str(slide): own for slide, own in tiles.groupby("slide", sort=True)}

    @property
    def slides(self) -> Sequence[str]:
        """Names of the slides."""
        return list(self._of_slide)

    def fingerprint(self, slide: str) -> str:
        """Return a digest of all tiles of a slide."""
        digest = hashlib.sha256()
        tiles = self._of_slide[slide]
        digest.update(tiles[list(COLUMNS[:-1])].to_csv().encode())
        for image in tiles["image"]:
            digest.update(hashlib.sha256(image).digest())
        return digest.hexdigest()

    def cut(self, slide: str, parameters: TilingParameters) -> CutSlide:
        """Return the tiles of a slide, some where there are too many.

        Raises
        ------
        ValueError
            When one is damaged or of another size.
        """
        tiles = self._of_slide[slide]
        if len(tiles) > parameters.max_tiles:
            rng = np.random.default_rng([parameters.seed, *slide.encode()])
            tiles = tiles.iloc[np.sort(rng.permutation(len(tiles))[: parameters.max_tiles])]
        for x, y, image in zip(tiles["x"], tiles["y"], tiles["image"], strict=True):
            check_tile(image, parameters.tile_size, f"The tile at {x}, {y} of the slide {slide}")
        rows = tiles[list(COLUMNS[:-1])].reset_index(drop=True)
        return CutSlide(rows, list(tiles["image"]), {})

    def overview(self, slide: str, filters: TileFilters) -> None:
        """Return nothing: the slide is not here."""
