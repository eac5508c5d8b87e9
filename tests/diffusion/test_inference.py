import dataclasses

import pytest
import torch
from torch import nn

from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.inference import FoldedDenoiser
from tcga_coherent.diffusion.linear_beta import LinearBeta

SHAPE = DenoiserShape(
    target_dim=3,
    condition_dims=(4, 2),
    hidden_dim=8,
    n_layers=3,
    time_dim=6,
    condition_dim=5,
    prediction="noise",
)


@pytest.mark.parametrize("prediction", ["noise", "velocity"])
def test_a_folded_denoiser_predicts_what_the_trained_one_does(prediction):
    torch.manual_seed(0)
    schedule = LinearBeta()
    denoiser = StackedDenoiser(2, dataclasses.replace(SHAPE, prediction=prediction)).eval()
    for norm in denoiser.norms:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    noisy = torch.randn(2, 3, 9)
    conditions = [torch.randn(2, 4, 9), torch.randn(2, 2, 9)]
    mask = torch.rand(2, 2, 9) > 0.5
    timesteps = [900, 500, 0]
    folded = FoldedDenoiser(denoiser, schedule, timesteps)
    for visit, timestep in enumerate(timesteps):
        expected = denoiser(noisy, torch.full((2, 9), timestep), denoiser.project(conditions, mask))
        if prediction == "velocity":
            # Solve x = sqrt(ab) x0 + sqrt(1 - ab) eps and v = sqrt(ab) eps - sqrt(1 - ab) x0.
            alpha_bar = schedule.alphas_cumprod[timestep].float()
            mixing = torch.stack(
                [
                    torch.stack([alpha_bar.sqrt(), (1 - alpha_bar).sqrt()]),
                    torch.stack([-(1 - alpha_bar).sqrt(), alpha_bar.sqrt()]),
                ]
            )
            both = torch.stack([noisy.flatten(), expected.flatten()])
            expected = torch.linalg.solve(mixing, both)[1].view_as(noisy)
        got = folded(noisy, visit, folded.condition(conditions, mask))
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_estimates_in_bfloat16_are_float32_and_close():
    torch.manual_seed(0)
    schedule = LinearBeta()
    denoiser = StackedDenoiser(2, dataclasses.replace(SHAPE, prediction="velocity")).eval()
    conditions = [torch.randn(2, 4, 500), torch.randn(2, 2, 500)]
    mask = torch.ones(2, 2, 500, dtype=torch.bool)
    noisy = torch.randn(2, 3, 500)
    exact, coarse = (
        folded(noisy, 0, folded.condition(conditions, mask))
        for folded in (
            FoldedDenoiser(denoiser, schedule, [700], dtype)
            for dtype in (torch.float32, torch.bfloat16)
        )
    )
    assert coarse.dtype == torch.float32
    difference = (coarse - exact).abs()
    assert 0 < difference.mean() < 0.01 * exact.abs().mean()
