import math

import pytest
import torch
from torch import nn

from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser, time_embedding

SHAPE = DenoiserShape(
    target_dim=3,
    condition_dims=(4, 2),
    hidden_dim=8,
    n_layers=2,
    time_dim=6,
    condition_dim=5,
    prediction="noise",
)


class PlainDenoiser(nn.Module):
    """One model written with torch's own layers, rows before features."""

    def __init__(self, stacked: StackedDenoiser, model: int) -> None:
        super().__init__()
        self.stacked, self.model = stacked, model

    def linear(self, layer, x):
        return nn.functional.linear(x, layer.weight[self.model], layer.bias[self.model, :, 0])

    def forward(self, noisy, timesteps, conditions, mask):
        angles = timesteps[:, None] * torch.tensor(
            [math.exp(-math.log(10_000) * i / 3) for i in range(3)]
        )
        time = torch.cat([angles.sin(), angles.cos()], dim=1)
        parts = [
            self.linear(projection, condition) * mask[:, [i]]
            for i, (projection, condition) in enumerate(
                zip(self.stacked.projections, conditions, strict=True)
            )
        ]
        hidden = torch.cat([noisy, time, *parts], dim=1)
        for layer, norm in zip(self.stacked.layers, self.stacked.norms, strict=True):
            out = self.linear(layer, hidden)
            mean = out.mean(0) if self.training else norm.running_mean[self.model]
            var = out.var(0, unbiased=False) if self.training else norm.running_var[self.model]
            out = (out - mean) / (var + 1e-5).sqrt() * norm.weight[self.model] + norm.bias[
                self.model
            ]
            hidden = torch.cat([out.relu(), time], dim=1)
        return self.linear(self.stacked.output, hidden)


@pytest.mark.parametrize("training", [True, False])
def test_each_model_of_a_stack_computes_what_a_plain_network_does(training):
    torch.manual_seed(0)
    rows, stack = 16, StackedDenoiser(2, SHAPE).train(training)
    for norm in stack.norms:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
    plain = [PlainDenoiser(stack, m).train(training) for m in range(2)]
    noisy = torch.randn(2, 3, rows)
    conditions = [torch.randn(2, 4, rows), torch.randn(2, 2, rows)]
    mask = torch.rand(2, 2, rows) > 0.5
    timesteps = torch.randint(0, 1000, (2, rows))
    expected = [
        p(noisy[m].T, timesteps[m], [c[m].T for c in conditions], mask[m].T.float())
        for m, p in enumerate(plain)
    ]
    got = stack(noisy, timesteps, stack.project(conditions, mask))
    for m in range(2):
        torch.testing.assert_close(got[m].T, expected[m], rtol=1e-4, atol=1e-5)


def test_a_masked_condition_contributes_exactly_zero():
    torch.manual_seed(0)
    stack = StackedDenoiser(1, SHAPE).eval()
    mask = torch.tensor([True, False])[None, :, None].expand(1, 2, 4)
    first = torch.randn(1, 4, 4)
    projected = [
        stack.project([first, second], mask)
        for second in (torch.zeros(1, 2, 4), torch.ones(1, 2, 4))
    ]
    torch.testing.assert_close(projected[0], projected[1], rtol=0, atol=0)
    assert (projected[0][:, SHAPE.condition_dim :] == 0).all()


def test_gradients_of_a_model_do_not_reach_its_neighbours():
    torch.manual_seed(0)
    stack = StackedDenoiser(2, SHAPE)
    conditions = [torch.randn(2, 4, 8), torch.randn(2, 2, 8)]
    mask = torch.ones(2, 2, 8, dtype=torch.bool)
    estimate = stack(
        torch.randn(2, 3, 8), torch.zeros(2, 8, dtype=torch.long), stack.project(conditions, mask)
    )
    estimate[0].square().sum().backward()
    for parameter in stack.parameters():
        assert (parameter.grad[1] == 0).all()
        assert (parameter.grad[0] != 0).any()


def test_time_embedding_tells_timesteps_apart():
    embedding = time_embedding(torch.arange(1000)[None], 64)[0].T
    distances = torch.cdist(embedding, embedding) + torch.eye(1000) * 10
    assert distances.min() > 1e-2
