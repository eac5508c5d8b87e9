"""Parameters of the tiling."""

from dataclasses import field
from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT


@dataclass(frozen=True, config=STRICT)
class TileFilters:
    """Which tiles of a slide are left out.

    Attributes
    ----------
    max_background
        Largest share of a tile outside of the mask of tissue.
    white
        Grey level, 0 to 1, above which a pixel is background at least: of a slide that is tissue all over,
        Otsu's threshold alone would take the paler half for background.
    min_contrast
        Least standard deviation of grey levels.
    max_pen
        Largest share of pixels in the colours of pens: saturated green and blue, and black.
    min_sharpness
        Least standard deviation of the Laplacian of grey levels.
    """

    max_background: float = Field(default=0.6, ge=0, le=1)
    white: float = Field(default=0.85, gt=0, le=1)
    min_contrast: float = Field(default=0.03, ge=0)
    max_pen: float = Field(default=0.05, ge=0, le=1)
    min_sharpness: float = Field(default=0.01, ge=0)


@dataclass(frozen=True, config=STRICT)
class TilingParameters:
    """The ``slide_tiling`` parameters.

    Attributes
    ----------
    tile_size
        Pixels of a side of a tile.
    mpp
        Micrometres a pixel of the tiles; 0.5 is a magnification of 20.
    slide_mpp
        Micrometres a pixel of slides that tell neither these nor a magnification; None refuses such slides.
    diagnostic_only
        Leave out slides without ``DX`` in their barcode, such as frozen sections.
    patient_pattern
        Regular expression of the patient in the name of a slide.
    filters
        Of tiles.
    max_tiles
        Most tiles of a slide; of more, as many are drawn.
    jpeg_quality
        Of stored tiles; ones that are cut already are stored as they are.
    bad_slides
        ``stop`` at a slide that cannot be used, or ``skip`` it with a line in the table of quality.
    seed
        Of the choice of tiles.
    """

    tile_size: int = Field(default=256, ge=8)
    mpp: float = Field(default=0.5, gt=0)
    slide_mpp: float | None = Field(default=None, gt=0)
    diagnostic_only: bool = True
    patient_pattern: str = r"^TCGA-\w{2}-\w{4}"
    filters: TileFilters = field(default_factory=TileFilters)
    max_tiles: int = Field(default=4000, ge=1)
    jpeg_quality: int = Field(default=90, ge=1, le=100)
    bad_slides: Literal["stop", "skip"] = "stop"
    seed: int = Field(default=0, ge=0)
