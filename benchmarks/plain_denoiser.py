"""The paper's noise predictor as one would first write it: a module a model, rows before features.

This is the yardstick, not the engine. Nothing here is optimised, and nothing is made slow on
purpose.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser


def time_embedding(timesteps: torch.Tensor, dim: int) -> torch.Tensor:
    """Sinusoidal embedding of timesteps, shape (rows, dim).

    Parameters
    ----------
    timesteps
        Shape (rows,).
    dim
        Size of the embedding, even.
    """
    half = dim // 2
    frequencies = torch.exp(
        -math.log(10_000.0) / half * torch.arange(half, device=timesteps.device)
    )
    angles = timesteps.float().unsqueeze(1) * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class PlainDenoiser(nn.Module):
    """Single-condition noise predictor (Methods, "Model implementation and training").

    Parameters
    ----------
    shape
        Its architecture; one condition.
    """

    def __init__(self, shape: DenoiserShape) -> None:
        super().__init__()
        self.shape = shape
        self.projections = nn.ModuleList(
            nn.Linear(dim, shape.condition_dim) for dim in shape.condition_dims
        )
        n_inputs = shape.target_dim + shape.time_dim + shape.condition_dim
        widths = [n_inputs] + [shape.hidden_dim + shape.time_dim] * (shape.n_layers - 1)
        self.layers = nn.ModuleList(nn.Linear(width, shape.hidden_dim) for width in widths)
        self.norms = nn.ModuleList(nn.BatchNorm1d(shape.hidden_dim) for _ in widths)
        self.output = nn.Linear(shape.hidden_dim + shape.time_dim, shape.target_dim)

    def forward(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, condition: torch.Tensor
    ) -> torch.Tensor:
        """Predict noise or velocity, as ``shape.prediction`` says.

        Parameters
        ----------
        noisy
            ``x_t``, shape (rows, target_dim).
        timesteps
            Shape (rows,).
        condition
            Shape (rows, condition_dims[0]).
        """
        time = time_embedding(timesteps, self.shape.time_dim)
        hidden = torch.cat([noisy, time, self.projections[0](condition)], dim=1)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            hidden = torch.cat([functional.relu(norm(layer(hidden))), time], dim=1)
        return self.output(hidden)


def plain_from_stack(stack: StackedDenoiser) -> PlainDenoiser:
    """Copy the weights of a stack of one model.

    Raises
    ------
    ValueError
        When the stack holds several models.
    """
    if stack.n_models != 1:
        raise ValueError(f"A plain denoiser is one model, the stack holds {stack.n_models}.")
    plain = PlainDenoiser(stack.shape)
    state = plain.state_dict()
    for name, tensor in stack.state_dict().items():
        state[name] = tensor.reshape(state[name].shape)
    plain.load_state_dict(state)
    return plain.to(stack.output.weight.device).eval()


def stack_from_plain(plain: PlainDenoiser) -> StackedDenoiser:
    """Copy the weights to a stack of one model, which the engine can score and draw from."""
    stack = StackedDenoiser(1, plain.shape)
    state = plain.state_dict()
    stack.load_state_dict(
        {name: state[name].reshape(tensor.shape) for name, tensor in stack.state_dict().items()}
    )
    return stack.to(plain.output.weight.device).eval()
