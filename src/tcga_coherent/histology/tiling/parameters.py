"""Parameters of the tiling."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT


@dataclass(frozen=True, config=STRICT)
class TilingParameters:
    """The ``slide_tiling`` parameters.

    Attributes
    ----------
    tile_size
        Pixels of a side of a tile.
    max_tiles
        Most tiles of a slide; of more, as many are drawn.
    bad_slides
        ``stop`` at a slide that cannot be used, or ``skip`` it with a line in the table of quality.
    seed
        Of the choice of tiles.
    """

    tile_size: int = Field(default=256, ge=8)
    max_tiles: int = Field(default=4000, ge=1)
    bad_slides: Literal["stop", "skip"] = "stop"
    seed: int = Field(default=0, ge=0)
