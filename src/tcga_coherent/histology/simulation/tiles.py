"""Tiles of a simulated tissue, drawn in optical densities of haematoxylin and eosin."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from tcga_coherent.histology.simulation.patients import Tissue

# Optical densities of red, green and blue for one unit of each stain (Ruifrok and Johnston, 2001).
HAEMATOXYLIN = np.array([0.65, 0.70, 0.29])
EOSIN = np.array([0.07, 0.99, 0.11])

# Pixels of a side for which `Tissue.nuclei` is stated.
REFERENCE_SIZE = 64
LYMPHOCYTE_RADIUS = 2.2
# Tries to place a nucleus beside the others; a crowded tile overlaps.
TRIES = 20


def draw_tile(tissue: Tissue, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one tile, size x size x 3.

    Tumour nuclei are large, pale ellipses, those of lymphocytes small, round and dark; between them lies
    eosin with the texture of fibres.
    """
    haematoxylin = np.zeros((size, size))
    for (y, x), radius, aspect, angle, density in _nuclei(tissue, size, rng):
        _add_nucleus(haematoxylin, y, x, radius, aspect, angle, density)
    grain = gaussian_filter(rng.standard_normal((size, size)), 0.7)
    haematoxylin *= 1 + 0.25 * grain
    fibres = gaussian_filter(rng.standard_normal((size, size)), (1.0, 5.0), mode="wrap")
    fibres *= 0.3 / fibres.std()
    eosin = tissue.eosin * np.clip(1 + fibres, 0.2, None) * (1 - 0.5 * np.clip(haematoxylin, 0, 1))
    density = haematoxylin[..., None] * HAEMATOXYLIN + eosin[..., None] * EOSIN
    return np.clip(np.rint(250 * np.exp(-density)), 0, 255).astype(np.uint8)


def _nuclei(
    tissue: Tissue, size: int, rng: np.random.Generator
) -> list[tuple[NDArray[np.float64], float, float, float, float]]:
    """Return centre, radius, aspect, angle and density of each nucleus, the lymphocytes last."""
    number = rng.poisson(tissue.nuclei * (size / REFERENCE_SIZE) ** 2)
    small = np.sort(rng.random(number) < tissue.lymphocytes)
    placed: list[tuple[NDArray[np.float64], float, float, float, float]] = []
    for is_small in small:
        radius = LYMPHOCYTE_RADIUS if is_small else tissue.radius * np.exp(0.1 * rng.normal())
        for _ in range(TRIES):
            centre = rng.uniform(0, size, 2)
            if all(np.hypot(*(centre - other[0])) > radius + other[1] for other in placed):
                break
        aspect = 1.0 if is_small else rng.uniform(1.0, 1.5)
        density = rng.normal(1.5, 0.1) if is_small else rng.normal(0.8, 0.08)
        placed.append((centre, radius, aspect, rng.uniform(0, np.pi), density))
    return placed


def _add_nucleus(
    haematoxylin: NDArray[np.float64],
    y: float,
    x: float,
    radius: float,
    aspect: float,
    angle: float,
    density: float,
) -> None:
    """Add an ellipse with soft edges where it is denser than what is there."""
    rows, columns = np.ogrid[: len(haematoxylin), : len(haematoxylin)]
    along = (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    stretch = np.sqrt(aspect)
    distance = np.hypot(along / stretch, across * stretch)
    shape = density / (1 + np.exp((distance - radius) / 0.4))
    np.maximum(haematoxylin, shape, out=haematoxylin)
