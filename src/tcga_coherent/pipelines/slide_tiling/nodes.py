"""Nodes of the slide_tiling pipeline."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore
from tcga_coherent.histology.tiling.figure import draw_slides
from tcga_coherent.histology.tiling.parameters import TilingParameters
from tcga_coherent.histology.tiling.source import TileSource, quality_table, store_slides


def store_tiles(
    slides: TileSource, former: TileStore, parameters: TilingParameters, workers: int
) -> Iterator[TileBatch | AllBatches]:
    """Yield the tiles of slides that are not stored yet; Kedro saves each slide at once."""
    yield from store_slides(slides, former, parameters, workers)


def index_tiles(tiles: TileStore) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row a tile, and a row a slide with what became of it."""
    return tiles.index, quality_table(tiles)


def show_slides(
    slides: TileSource, tile_index: pd.DataFrame, parameters: TilingParameters
) -> Drawing:
    """Draw slides with the mask of tissue and the tiles that were kept."""
    return partial(draw_slides, slides, tile_index, parameters.filters)
