import pytest
import torch

from plain_denoiser import PlainDenoiser, plain_from_stack, stack_from_plain, time_embedding
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.denoiser import time_embedding as engine_time_embedding

SHAPE = DenoiserShape(
    target_dim=5,
    condition_dims=(3,),
    hidden_dim=16,
    n_layers=3,
    time_dim=8,
    condition_dim=4,
    prediction="noise",
)


@pytest.fixture
def stack() -> StackedDenoiser:
    """A network whose batch normalisation has statistics of its own."""
    torch.manual_seed(0)
    network = StackedDenoiser(1, SHAPE)
    for _ in range(3):
        predict(network, 4 * torch.randn(20, 5), torch.arange(20) * 50, torch.randn(20, 3))
    return network


def predict(
    network: StackedDenoiser, noisy: torch.Tensor, timesteps: torch.Tensor, condition: torch.Tensor
) -> torch.Tensor:
    projected = network.project([condition.T.unsqueeze(0)], torch.ones(1, 1, 1, dtype=torch.bool))
    return network(noisy.T.unsqueeze(0), timesteps.unsqueeze(0), projected)[0].T


def test_the_time_embedding_is_the_engines() -> None:
    timesteps = torch.tensor([0, 1, 500, 999])
    torch.testing.assert_close(time_embedding(timesteps, 8).T, engine_time_embedding(timesteps, 8))


def test_a_plain_denoiser_predicts_what_the_stack_predicts(stack: StackedDenoiser) -> None:
    noisy, condition = torch.randn(30, 5), torch.randn(30, 3)
    timesteps = torch.randint(0, 1000, (30,))
    plain = plain_from_stack(stack)
    torch.testing.assert_close(
        plain(noisy, timesteps, condition), predict(stack.eval(), noisy, timesteps, condition)
    )


def test_plain_denoiser_and_stack_train_alike(stack: StackedDenoiser) -> None:
    noisy, condition = torch.randn(30, 5), torch.randn(30, 3)
    timesteps = torch.randint(0, 1000, (30,))
    plain = plain_from_stack(stack).train()
    plain(noisy, timesteps, condition).square().mean().backward()
    predict(stack.train(), noisy, timesteps, condition).square().mean().backward()
    torch.testing.assert_close(plain.layers[1].weight.grad, stack.layers[1].weight.grad[0])
    torch.testing.assert_close(plain.norms[2].running_var, stack.norms[2].running_var[0])


def test_weights_survive_the_way_to_a_stack_and_back() -> None:
    torch.manual_seed(1)
    plain = PlainDenoiser(SHAPE)
    returned = plain_from_stack(stack_from_plain(plain))
    for name, parameter in plain.named_parameters():
        assert torch.equal(parameter, dict(returned.named_parameters())[name])


def test_a_stack_of_several_models_is_refused() -> None:
    with pytest.raises(ValueError, match="A plain denoiser is one model, the stack holds 2"):
        plain_from_stack(StackedDenoiser(2, SHAPE))
