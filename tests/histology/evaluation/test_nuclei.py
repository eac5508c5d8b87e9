import numpy as np
import pandas as pd
import pytest

from tcga_coherent.histology.evaluation.nuclei import (
    MEASURES,
    NucleiParameters,
    find_nuclei,
    measure_tile,
    measure_tiles,
)
from tcga_coherent.histology.simulation.tiles import EOSIN, HAEMATOXYLIN

AT = [(14, 12), (14, 44), (46, 14), (46, 48)]


def disks(radii, eosin=0.2, size=64):
    """A tile with disks of haematoxylin, and eosin between."""
    rows, columns = np.ogrid[:size, :size]
    stain = np.zeros((size, size))
    for (y, x), radius in zip(AT, radii, strict=False):
        stain[np.hypot(rows - y, columns - x) <= radius] = 1.0
    density = stain[..., None] * HAEMATOXYLIN + np.where(stain == 0, eosin, 0)[..., None] * EOSIN
    return np.rint(255 * np.exp(-density)).astype(np.uint8)


def test_nuclei_are_counted_with_their_area_and_the_small_ones_are_lymphocytes():
    found = measure_tile(disks([8, 7, 6, 2.2]), NucleiParameters())
    assert found["nuclear_count"] == 4
    expected = np.mean([np.pi * radius**2 for radius in (8, 7, 6)])
    assert found["nuclear_area"] == pytest.approx(expected, rel=0.1)
    assert found["lymphocyte_share"] == 0.25


def test_nuclei_that_touch_are_told_apart():
    stain = np.zeros((40, 40))
    rows, columns = np.ogrid[:40, :40]
    for x in (13, 26):
        stain[np.hypot(rows - 20, columns - x) <= 7] = 1.0
    assert len(np.unique(find_nuclei(stain, NucleiParameters()))) - 1 == 2


def test_eosin_is_measured_between_nuclei():
    weak, strong = (measure_tile(disks([6], eosin), NucleiParameters()) for eosin in (0.2, 0.4))
    assert strong["eosin"] / weak["eosin"] == pytest.approx(2, rel=0.1)
    more = measure_tile(disks([11, 11, 11, 11], 0.2), NucleiParameters())
    assert more["eosin"] == pytest.approx(weak["eosin"], rel=0.1)
    assert more["haematoxylin"] > 2 * weak["haematoxylin"]


def test_an_empty_tile_has_no_nuclei_and_no_share_of_them():
    found = measure_tile(np.full((32, 32, 3), 240, np.uint8), NucleiParameters())
    assert found["nuclear_count"] == 0
    assert np.isnan(found["nuclear_area"])
    assert np.isnan(found["lymphocyte_share"])


def test_noise_of_a_tile_without_nuclei_is_not_taken_for_nuclei():
    noise = np.random.default_rng(0).integers(-6, 7, (64, 64, 3))
    pink = (np.array([240, 200, 230]) + noise).astype(np.uint8)
    assert measure_tile(pink, NucleiParameters())["nuclear_count"] == 0
    assert measure_tile(pink, NucleiParameters(min_density=0.0))["nuclear_count"] > 10


def test_there_is_a_row_a_tile():
    table = measure_tiles([disks([6]), disks([6, 6])], NucleiParameters())
    assert list(table.columns) == list(MEASURES)
    assert table["nuclear_count"].tolist() == [1, 2]
    assert isinstance(table, pd.DataFrame)
