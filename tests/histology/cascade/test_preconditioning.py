import pytest
import torch

from tcga_coherent.histology.cascade.preconditioning import SIGMA_DATA, Preconditioning, draw_sigma


@pytest.mark.parametrize("sigma", [0.002, 0.5, 3.0, 80.0])
def test_what_the_network_is_given_and_has_to_give_has_variance_one(sigma):
    generator = torch.Generator().manual_seed(0)
    clean = SIGMA_DATA * torch.randn(200_000, 1, 1, 1, generator=generator)
    noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
    factors = Preconditioning.at(torch.full((1, 1, 1, 1), sigma))
    assert (factors.in_ * noisy).std().item() == pytest.approx(1, rel=0.01)
    assert factors.target(clean, noisy).std().item() == pytest.approx(1, rel=0.01)


def test_the_factors_are_those_of_table_1():
    factors = Preconditioning.at(torch.full((1, 1, 1, 1), 1.2))
    # sigma_data .5: the root of 1.44 + .25 is 1.3.
    assert factors.skip.item() == pytest.approx(0.25 / 1.69)
    assert factors.out.item() == pytest.approx(0.6 / 1.3)
    assert factors.in_.item() == pytest.approx(1 / 1.3)
    assert factors.noise.item() == pytest.approx(0.25 * 0.1823216)


def test_the_target_is_what_gives_the_clean_tile_back():
    clean, noisy = torch.randn(2, 4, 3, 2, 2)
    factors = Preconditioning.at(draw_sigma(4, -1.2, 1.2, torch.Generator().manual_seed(1)))
    assert torch.allclose(factors.denoised(factors.target(clean, noisy), noisy), clean, atol=1e-5)


def test_levels_of_training_are_lognormal():
    logs = draw_sigma(100_000, -1.2, 1.5, torch.Generator().manual_seed(1)).log()
    assert logs.mean().item() == pytest.approx(-1.2, abs=0.02)
    assert logs.std().item() == pytest.approx(1.5, abs=0.02)
