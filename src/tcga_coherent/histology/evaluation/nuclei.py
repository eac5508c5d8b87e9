"""Stains and nuclei of a tile, measured without a trained network."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT

MEASURES = ("nuclear_count", "nuclear_area", "lymphocyte_share", "eosin", "haematoxylin")


@dataclass(frozen=True, config=STRICT)
class NucleiParameters:
    """How nuclei are found and told apart, in pixels of the tiles.

    Attributes
    ----------
    smoothing
        Standard deviation of the filter before the threshold.
    min_density
        Least density of haematoxylin of a nucleus, in the units of the stain separation: Otsu's threshold of a tile
        without any nucleus lies in its noise.
    min_area
        Smaller regions are no nuclei.
    min_distance
        Between the centres of two nuclei that touch.
    lymphocyte_area
        Nuclei up to this area count as those of lymphocytes.
    """

    smoothing: float = Field(default=0.7, ge=0)
    min_density: float = Field(default=0.01, ge=0)
    min_area: int = Field(default=6, ge=1)
    min_distance: int = Field(default=3, ge=1)
    lymphocyte_area: float = Field(default=26.0, gt=0)


def measure_tiles(
    images: Iterable[NDArray[np.uint8]], parameters: NucleiParameters
) -> pd.DataFrame:
    """Measure each tile: one row a tile, columns :data:`MEASURES`.

    Parameters
    ----------
    images
        Tiles, height x width x 3, uint8.
    parameters
        Of the nuclei.

    Returns
    -------
    DataFrame
        ``nuclear_count``; ``nuclear_area`` (mean, pixels) of nuclei that are not of lymphocytes and
        ``lymphocyte_share``, missing where there are none to count; ``eosin`` between nuclei and
        ``haematoxylin`` of the whole tile, mean optical density in the stain vectors of Ruifrok and
        Johnston (2001).
    """
    return pd.DataFrame([measure_tile(image, parameters) for image in images], columns=MEASURES)


def measure_tile(image: NDArray[np.uint8], parameters: NucleiParameters) -> dict[str, float]:
    """Measure one tile; see :func:`measure_tiles`."""
    from skimage.color import rgb2hed
    from skimage.measure import regionprops_table

    stains = rgb2hed(image)
    labels = find_nuclei(stains[..., 0], parameters)
    area = regionprops_table(labels, properties=("area",))["area"]
    small = area <= parameters.lymphocyte_area
    between = stains[..., 1][labels == 0]
    return {
        "nuclear_count": float(len(area)),
        "nuclear_area": float(area[~small].mean()) if (~small).any() else np.nan,
        "lymphocyte_share": float(small.mean()) if len(area) else np.nan,
        "eosin": float(between.mean()) if len(between) else np.nan,
        "haematoxylin": float(stains[..., 0].mean()),
    }


def find_nuclei(
    haematoxylin: NDArray[np.float64], parameters: NucleiParameters
) -> NDArray[np.int32]:
    """Label nuclei: Otsu's threshold, if it is dense enough, and a watershed of the distance to the background.

    Returns
    -------
    ndarray
        Height x width; 0 is background.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_otsu
    from skimage.measure import label
    from skimage.morphology import remove_small_objects
    from skimage.segmentation import watershed

    smooth = gaussian_filter(haematoxylin, parameters.smoothing)
    if np.ptp(smooth) == 0:
        return np.zeros(smooth.shape, dtype=np.int32)
    inside = smooth > max(threshold_otsu(smooth), parameters.min_density)
    inside = remove_small_objects(inside, max_size=parameters.min_area - 1)
    distance = gaussian_filter(distance_transform_edt(inside), 0.5)
    peaks = peak_local_max(
        distance, min_distance=parameters.min_distance, labels=label(inside), exclude_border=False
    )
    markers = np.zeros(smooth.shape, dtype=np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-distance, markers, mask=inside).astype(np.int32)
