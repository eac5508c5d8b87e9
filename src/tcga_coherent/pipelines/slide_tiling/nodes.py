"""Nodes of the slide_tiling pipeline."""

from collections.abc import Iterator

import pandas as pd

from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore
from tcga_coherent.histology.tiling.parameters import TilingParameters
from tcga_coherent.histology.tiling.source import TileSource, quality_table, store_slides


def store_tiles(
    slides: TileSource, former: TileStore, parameters: TilingParameters
) -> Iterator[TileBatch | AllBatches]:
    """Yield the tiles of slides that are not stored yet; Kedro saves each slide at once."""
    yield from store_slides(slides, former, parameters)


def index_tiles(tiles: TileStore) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row a tile, and a row a slide with what became of it."""
    return tiles.index, quality_table(tiles)
