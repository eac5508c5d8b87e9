import numpy as np
import pytest
import torch

from tcga_coherent.histology.cascade.generation import Cascade, TrainedStage, tile_seed
from tcga_coherent.histology.cascade.parameters import (
    Augmentation,
    SamplerParameters,
    UNetParameters,
)
from tcga_coherent.histology.cascade.stages import Stage, TileScale
from tcga_coherent.histology.cascade.unet import UNet

SCALE = TileScale((0.1, 0.0, -0.1), 0.3, 0.2)
FEW = SamplerParameters(steps=3, s_churn=2.0)
CODES = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def cascade():
    stages = []
    for name, size in (("base", 8), ("super_resolution", 16)):
        torch.manual_seed(1)
        stage = Stage(name, size, 8, SCALE)
        net = UNet(stage.shape(4, UNetParameters(channels=8, multipliers=(1, 2), blocks=1)))
        for weight in net.parameters():
            torch.nn.init.normal_(weight, std=0.1)
        stages.append(
            TrainedStage(stage, net.eval(), Augmentation(), torch.device("cpu"), torch.float32)
        )
    return Cascade(*stages)


def test_a_tile_depends_on_its_seed_and_code_alone(cascade):
    together = cascade.generate(CODES, [1, 2, 3], FEW, FEW, 0.5)
    assert together.shape == (3, 16, 16, 3)
    assert together.dtype == np.uint8
    alone = cascade.generate(CODES[1:2], [2], FEW, FEW, 0.5)
    # One step of rounding: matrix products of other sizes differ in the last digit.
    assert np.abs(alone[0].astype(int) - together[1]).max() <= 1
    other = cascade.generate(CODES[1:2], [4], FEW, FEW, 0.5)
    assert np.abs(other[0].astype(int) - together[1]).max() > 5


def test_guidance_weighs_the_prediction_with_expression_against_that_without(cascade):
    def draw(guidance, codes=CODES):
        parameters = SamplerParameters(steps=2, s_churn=0, guidance=guidance)
        return cascade.base.sample(codes, [1, 2, 3], parameters)

    assert torch.equal(draw(0.0), draw(0.0, -CODES))
    assert not torch.allclose(draw(1.0), draw(1.0, -CODES))
    # After one Euler step to the last level all is linear in the guidance but for that level's own.
    assert not torch.allclose(draw(2.0), draw(1.0))


def test_noise_on_the_low_resolution_is_the_share_of_what_training_had(cascade):
    low = torch.zeros(1, 3, 8, 8)
    draws = [
        cascade.super_resolution.sample(CODES[:1], [1], FEW, low, level)
        for level in (0.0, 0.0, 1.0)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.allclose(draws[0], draws[2])


def test_seeds_depend_on_all_parts():
    seeds = {tile_seed(0, "a", 1), tile_seed(0, "a", 2), tile_seed(1, "a", 1), tile_seed(0, "a1")}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)
