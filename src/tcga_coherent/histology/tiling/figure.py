"""Slides with the mask of tissue and the tiles that were kept."""

import pandas as pd
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tcga_coherent.figures.drawing import draw_reason
from tcga_coherent.histology.tiling.parameters import TileFilters
from tcga_coherent.histology.tiling.source import TileSource

MOST, COLUMNS = 12, 4


def draw_slides(source: TileSource, index: pd.DataFrame, filters: TileFilters) -> Figure:
    """Draw some slides: the edge of the tissue in black, kept tiles in orange."""
    kept = [slide for slide in source.slides if (index["batch"] == slide).any()][:MOST]
    overviews = {slide: source.overview(slide, filters) for slide in kept}
    if None in overviews.values():
        return draw_reason("The tiles were cut elsewhere: there are no slides to show.")
    n_rows = -(-len(kept) // COLUMNS)
    columns = min(COLUMNS, len(kept))
    figure = Figure(figsize=(3.2 * columns, 3.6 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False)
    for panel in axes.flat:
        panel.axis("off")
    for panel, (slide, overview) in zip(axes.flat, overviews.items(), strict=False):
        assert overview is not None
        tiles = index[index["batch"] == slide]
        panel.imshow(overview.image)
        panel.contour(overview.tissue, [0.5], colors="black", linewidths=0.4)
        side = tiles["side"].iloc[0] / overview.pixels
        squares = [
            Rectangle((x / overview.pixels, y / overview.pixels), side, side)
            for x, y in zip(tiles["x"], tiles["y"], strict=True)
        ]
        panel.add_collection(PatchCollection(squares, facecolor="none", edgecolor="#D55E00"))
        panel.set_title(f"{slide}\n{len(tiles)} tiles", fontsize=7)
    return figure
