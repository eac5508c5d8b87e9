import torch
from torch import nn

from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.inference import FoldedDenoiser

SHAPE = DenoiserShape(
    target_dim=3, condition_dims=(4, 2), hidden_dim=8, n_layers=3, time_dim=6, condition_dim=5
)


def test_a_folded_denoiser_predicts_what_the_trained_one_does():
    torch.manual_seed(0)
    denoiser = StackedDenoiser(2, SHAPE).eval()
    for norm in denoiser.norms:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    noisy = torch.randn(2, 3, 9)
    conditions = [torch.randn(2, 4, 9), torch.randn(2, 2, 9)]
    mask = torch.rand(2, 2, 9) > 0.5
    timesteps = [900, 500, 0]
    folded = FoldedDenoiser(denoiser, timesteps)
    for visit, timestep in enumerate(timesteps):
        expected = denoiser(noisy, torch.full((2, 9), timestep), denoiser.project(conditions, mask))
        got = folded(noisy, visit, folded.condition(conditions, mask))
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
