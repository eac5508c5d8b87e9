"""Whole slides, cut into tiles of tissue."""

import re
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from tcga_coherent.histology.tiling.parameters import TileFilters, TilingParameters
from tcga_coherent.histology.tiling.source import CutSlide, Overview

# Largest side of the overview that the mask is made of.
OVERVIEW_SIZE = 1024
# Micrometres a pixel at a magnification of one.
MPP_AT_ONE = 10.0
DIAGNOSTIC = re.compile(r"-DX\w*")


def overview_of(opened: Any, filters: TileFilters) -> Overview:
    """Return a small image of an opened slide, with its mask."""
    image = np.asarray(opened.get_thumbnail((OVERVIEW_SIZE, OVERVIEW_SIZE)).convert("RGB"))
    return Overview(image, tissue_mask(image, filters), opened.dimensions[0] / image.shape[1])


def cut_slide(opened: Any, slide: str, parameters: TilingParameters) -> CutSlide:
    """Return the tiles of tissue that do not overlap, by rows.

    Parameters
    ----------
    opened
        Slide as openslide opens it.
    slide
        Its name.
    parameters
        Of the tiling.

    Raises
    ------
    ValueError
        When the slide is no diagnostic one, of no patient, or does not tell its resolution.
    """
    patient = re.search(parameters.patient_pattern, slide)
    if patient is None:
        raise ValueError(
            f"The slide {slide} names no patient: rename it, or set slide_tiling.patient_pattern to how it does."
        )
    if parameters.diagnostic_only and not DIAGNOSTIC.search(slide):
        raise ValueError(
            f"The slide {slide} has no DX in its name and is taken for no diagnostic one: to cut it, set "
            f"slide_tiling.diagnostic_only to false."
        )
    overview = overview_of(opened, parameters.filters)
    mpp, told_by = resolution(opened.properties, parameters, slide)
    side = round(parameters.tile_size * parameters.mpp / mpp)
    width, height = opened.dimensions
    corners = [
        (x, y) for y in range(0, height - side + 1, side) for x in range(0, width - side + 1, side)
    ]
    kept, lost = [], Counter[str]()
    for x, y in corners:
        share = _background(overview, x, y, side)
        if share > parameters.filters.max_background:
            lost["background"] += 1
        else:
            kept.append((x, y))
    order = np.random.default_rng([parameters.seed, *slide.encode()]).permutation(len(kept))
    tiles = list[tuple[int, int, bytes]]()
    for number in order:
        if len(tiles) == parameters.max_tiles:
            break
        x, y = kept[number]
        image = _read(opened, x, y, side, parameters.tile_size)
        reason = fault(image, parameters.filters)
        if reason:
            lost[reason] += 1
        else:
            tiles.append((y, x, _encode(image, parameters.jpeg_quality)))
    tiles.sort()
    rows = pd.DataFrame({"slide": slide, "patient_id": patient[0], "x": [x for _, x, _ in tiles], "y": [y for y, _, _ in tiles], "side": side})  # fmt: skip
    report = {
        "mpp": mpp,
        "mpp_told_by": told_by,
        "places": len(corners),
        **{name: lost[name] for name in ("background", "contrast", "pen", "blur")},
        "not_drawn": len(corners) - len(tiles) - lost.total(),
    }
    return CutSlide(rows, [image for _, _, image in tiles], report)


def resolution(
    properties: Mapping[str, str], parameters: TilingParameters, slide: str
) -> tuple[float, str]:
    """Return micrometres a pixel of a slide's finest level, and what told them.

    Raises
    ------
    ValueError
        When nothing does.
    """
    if "openslide.mpp-x" in properties:
        return float(properties["openslide.mpp-x"]), "mpp"
    if "openslide.objective-power" in properties:
        return MPP_AT_ONE / float(properties["openslide.objective-power"]), "magnification"
    if parameters.slide_mpp is None:
        raise ValueError(
            f"The slide {slide} tells neither micrometres a pixel nor a magnification: say in slide_tiling.slide_mpp "
            f"what it has, 0.25 at a magnification of 40 and 0.5 at 20."
        )
    return parameters.slide_mpp, "parameter"


def tissue_mask(image: NDArray[np.uint8], filters: TileFilters) -> NDArray[np.bool_]:
    """Return where there is tissue: darker than Otsu's threshold, or than white."""
    from skimage.filters import threshold_otsu

    grey = _grey(image)
    threshold = threshold_otsu(grey) if np.ptp(grey) > 0 else 0.0
    mask: NDArray[np.bool_] = grey < max(threshold, filters.white)
    return mask


def fault(image: NDArray[np.uint8], filters: TileFilters) -> str:
    """Return why a tile is left out: ``contrast``, ``pen``, ``blur``; empty for a good one."""
    from skimage.color import rgb2hsv
    from skimage.filters import laplace

    grey = _grey(image)
    if grey.std() < filters.min_contrast:
        return "contrast"
    hue, saturation, value = np.moveaxis(rgb2hsv(image), -1, 0)
    # Haematoxylin is violet, beyond blue.
    pen = ((hue > 0.25) & (hue < 0.66) & (saturation > 0.4)) | (value < 0.12)
    if pen.mean() > filters.max_pen:
        return "pen"
    return "blur" if laplace(grey).std() < filters.min_sharpness else ""


def _background(overview: Overview, x: int, y: int, side: int) -> float:
    """Return the share of a square of the finest level that is no tissue."""
    left, top, across = (round(n / overview.pixels) for n in (x, y, side))
    part = overview.tissue[top : top + max(across, 1), left : left + max(across, 1)]
    return 1.0 - float(part.mean()) if part.size else 1.0


def _read(slide: Any, x: int, y: int, side: int, size: int) -> NDArray[np.uint8]:
    """Return a square of the finest level, shrunken from the level that is just fine enough."""
    level = slide.get_best_level_for_downsample(side / size)
    pixels = max(1, round(side / slide.level_downsamples[level]))
    region = slide.read_region((x, y), level, (pixels, pixels))
    # Where a slide was not scanned it is transparent.
    white = Image.new("RGB", region.size, (255, 255, 255))
    white.paste(region, mask=region.getchannel("A"))
    return np.asarray(white.resize((size, size), Image.Resampling.LANCZOS))


def _encode(image: NDArray[np.uint8], quality: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "jpeg", quality=quality)
    return buffer.getvalue()


def _grey(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    from skimage.color import rgb2gray

    grey: NDArray[np.float64] = rgb2gray(image)
    return grey
