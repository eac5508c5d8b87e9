from itertools import pairwise

import numpy as np
import pytest
import torch

from tcga_coherent.histology.cascade.parameters import SamplerParameters
from tcga_coherent.histology.cascade.sampler import TileNoise, noise_levels, sample

SD = 0.5


def exact_denoiser(noisy, sigma):
    """Expected clean value of a normal distribution of mean 0."""
    return noisy * SD**2 / (SD**2 + sigma**2)


def discretised_sd(p: SamplerParameters) -> float:
    """Standard deviation of what algorithm 2 makes of that: every step is linear, and its factor known."""
    levels = noise_levels(p)
    most = min(p.s_churn / p.steps, 2**0.5 - 1)
    variance = levels[0] ** 2
    for level, following in pairwise(levels):
        raised = level * (1 + (most if p.s_tmin <= level <= p.s_tmax else 0))
        variance += (raised**2 - level**2) * p.s_noise**2
        slope, slope_after = (t / (SD**2 + t**2) for t in (raised, following))
        euler = 1 + (following - raised) * slope
        heun = 1 + (following - raised) * (slope + slope_after * euler) / 2
        variance *= (euler if following == 0 else heun) ** 2
    return variance**0.5


@pytest.mark.parametrize(("churn", "noise"), [(0.0, 1.0), (80.0, 1.003), (80.0, 1.1)])
@pytest.mark.parametrize("steps", [16, 64])
def test_draws_of_a_normal_distribution_are_as_wide_as_its_discretisation_says(steps, churn, noise):
    parameters = SamplerParameters(steps=steps, s_churn=churn, s_noise=noise)
    generator = torch.Generator().manual_seed(3)
    drawn = sample(exact_denoiser, lambda: torch.randn(200_000, generator=generator), parameters)
    assert drawn.std().item() == pytest.approx(discretised_sd(parameters), rel=0.006)
    assert drawn.mean().item() == pytest.approx(0, abs=0.006)


def test_the_discretisation_is_all_that_is_wrong_and_vanishes_with_steps():
    widths = [
        discretised_sd(SamplerParameters(steps=steps, s_churn=churn, s_noise=1.0)) / SD - 1
        for churn in (0.0, 80.0)
        for steps in (16, 64, 256)
    ]
    assert widths == pytest.approx([0.072, 0.0036, 0.0002, 0.153, 0.021, 0.004], rel=0.06)


def test_levels_follow_equation_5_and_end_at_zero():
    levels = noise_levels(SamplerParameters(steps=5, sigma_min=0.01, sigma_max=1.0, rho=2.0))
    assert levels == pytest.approx([1.0, 0.775**2, 0.55**2, 0.325**2, 0.01, 0.0])


def test_noise_of_a_tile_is_the_same_in_any_company():
    shape = (3, 4, 4)
    together, alone = TileNoise([5, 9], shape), TileNoise([9], shape)
    for _ in range(2):
        assert torch.equal(together()[1:], alone())


def test_churn_goes_only_where_it_is_asked_for():
    draws = []
    parameters = SamplerParameters(steps=6, s_churn=80, s_tmin=1.0, s_tmax=30.0)
    sample(exact_denoiser, lambda: draws.append(1) or torch.ones(2), parameters)
    levels = np.array(noise_levels(parameters))
    assert len(draws) == 1 + ((levels >= 1.0) & (levels <= 30.0)).sum() > 2
