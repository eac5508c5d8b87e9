import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from tcga_coherent.histology.cascade.parameters import (
    Augmentation,
    CascadeParameters,
    StageParameters,
    UNetParameters,
)
from tcga_coherent.histology.cascade.stages import (
    Stage,
    TileScale,
    degrade,
    enlarge,
    measure_scale,
    shrink,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)


@pytest.fixture
def scale():
    return measure_scale(IMAGES, 8)


def test_both_stages_together_give_the_tile_back(scale):
    base, detail = (Stage(name, 16, 8, scale) for name in ("base", "super_resolution"))
    made, low = detail.clean_and_low(IMAGES)
    assert np.array_equal(detail.images(made, low), IMAGES)
    assert torch.equal(base.clean_and_low(IMAGES)[0], low)


def test_what_stages_learn_has_mean_0_and_the_standard_deviation_of_the_preconditioning(scale):
    for name in ("base", "super_resolution"):
        clean, low = Stage(name, 16, 8, scale).clean_and_low(IMAGES)
        assert clean.std().item() == pytest.approx(0.5, rel=0.01)
        assert low.mean().item() == pytest.approx(0, abs=1e-5)


def test_the_base_shows_its_tile_in_the_colours_it_had(scale):
    base = Stage("base", 8, 8, scale)
    _, low = base.clean_and_low(IMAGES)
    means = IMAGES.reshape(6, 8, 2, 8, 2, 3).astype(float).mean(axis=(2, 4))
    assert np.abs(base.images(low, None) - means).max() <= 0.51


def test_shrinking_takes_means_of_squares():
    tiles = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert shrink(tiles, 2).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_tiles_of_one_colour_are_refused():
    with pytest.raises(ValueError, match="one colour"):
        measure_scale(np.full((2, 16, 16, 3), 7, np.uint8), 8)


def test_the_low_resolution_is_blurred_and_gets_noise_by_the_amounts_that_are_told():
    low = torch.zeros(2, 3, 9, 9)
    low[:, :, 4, 4] = 1.0
    noise = torch.randn(low.shape)
    largest = Augmentation(noise=0.4, blur=0.8)
    amounts = torch.tensor([0.0, 0.2]), torch.tensor([0.8, 0.0])
    seen = degrade(low, 9, *amounts, noise, largest)
    assert seen.levels.tolist() == [[0.0, pytest.approx(1.0)], [pytest.approx(0.5), 0.0]]
    # scipy cuts its kernel where ours ends.
    row = gaussian_filter1d(np.eye(9)[4], 0.8, radius=2)
    assert np.allclose(seen.tiles[0, 0], np.outer(row, row), atol=1e-6)
    assert torch.allclose(seen.tiles[1], low[1] + 0.2 * noise[1], atol=1e-6)
    assert torch.equal(degrade(low, 18, *amounts, noise, largest).tiles, enlarge(seen.tiles, 18))


def test_a_stage_comes_back_from_its_description(scale):
    stage = Stage("base", 8, 8, scale)
    assert Stage.from_description(stage.describe()) == stage
    assert isinstance(Stage.from_description(stage.describe()).scale, TileScale)


@pytest.mark.parametrize(
    ("size", "unet", "unit"),
    [(60, {"multipliers": (1, 2, 2), "patch": 2}, 8), (18, {"multipliers": (1, 2, 2)}, 4)],
)
def test_a_size_that_cannot_be_halved_is_refused_with_one_that_can(size, unet, unit):
    with pytest.raises(ValueError, match=f"multiple of {unit}"):
        StageParameters(size=size, unet=UNetParameters(**unet))


def test_the_large_tile_must_be_a_multiple_of_the_small_one():
    stages = [StageParameters(size=size) for size in (16, 24)]
    with pytest.raises(
        ValueError, match=r"super_resolution.size 24 is no multiple of base.size 16"
    ):
        CascadeParameters(*stages)
