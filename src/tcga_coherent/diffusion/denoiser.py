"""The paper's noise-prediction network, many models at once.

Models of the same shape are stacked: every weight has a leading model dimension, so that one
batched matrix product serves all of them. Activations lie as (models, features, rows): rows are
contiguous and batch normalisation sees (model, feature) pairs as channels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from tcga_coherent.diffusion.noise import named_keys


@dataclass(frozen=True)
class DenoiserShape:
    """What models must share to be stacked.

    Attributes
    ----------
    target_dim
        Latent size of the generated modality.
    condition_dims
        Latent size of each condition.
    hidden_dim, n_layers
        Width and number of hidden layers.
    time_dim, condition_dim
        Sizes of the time embedding and of each projected condition.
    prediction
        What the output means: ``noise``, or ``velocity`` (Salimans and Ho, 2022),
        ``sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) x_0``.
    """

    target_dim: int
    condition_dims: tuple[int, ...]
    hidden_dim: int
    n_layers: int
    time_dim: int
    condition_dim: int
    prediction: str


def time_embedding(timesteps: torch.Tensor, dim: int) -> torch.Tensor:
    """Sinusoidal embedding (Vaswani et al., 2017) of timesteps.

    Parameters
    ----------
    timesteps
        Shape (..., rows).
    dim
        Size of the embedding, even.

    Returns
    -------
    torch.Tensor
        Shape (..., dim, rows), float32.
    """
    half = dim // 2
    frequencies = torch.exp(
        -math.log(10_000.0) / half * torch.arange(half, device=timesteps.device)
    )
    angles = timesteps.float().unsqueeze(-2) * frequencies.unsqueeze(-1)
    return torch.cat([angles.sin(), angles.cos()], dim=-2)


class StackedLinear(nn.Module):
    """``n_models`` linear maps, initialised as ``torch.nn.Linear`` is."""

    def __init__(self, n_models: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(n_inputs)
        self.weight = nn.Parameter(torch.empty(n_models, n_outputs, n_inputs))
        self.bias = nn.Parameter(torch.empty(n_models, n_outputs, 1))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n_models, n_inputs, rows) to (n_models, n_outputs, rows)."""
        return torch.baddbmm(self.bias, self.weight, x)


class StackedBatchNorm(nn.Module):
    """Batch normalisation of each model's features over its own rows."""

    running_mean: torch.Tensor
    running_var: torch.Tensor

    def __init__(self, n_models: int, n_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_models, n_features))
        self.bias = nn.Parameter(torch.zeros(n_models, n_features))
        self.register_buffer("running_mean", torch.zeros(n_models, n_features))
        self.register_buffer("running_var", torch.ones(n_models, n_features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (n_models, n_features, rows)."""
        n_models, n_features, rows = x.shape
        normalised = functional.batch_norm(
            x.reshape(1, n_models * n_features, rows),
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.view(-1),
            self.bias.view(-1),
            training=self.training,
        )
        return normalised.view(n_models, n_features, rows)


class StackedDenoiser(nn.Module):
    """MLP of the noise predictor (Methods, "Model implementation and training") of ``n_models`` models.

    Each condition is projected linearly; the projections, the time embedding and the noisy latent
    form the input; hidden layers are Linear, BatchNorm and ReLU, and the time embedding is
    concatenated to the output of each.

    Parameters
    ----------
    n_models
        Number of models.
    shape
        Their common shape.
    """

    def __init__(self, n_models: int, shape: DenoiserShape) -> None:
        super().__init__()
        self.n_models = n_models
        self.shape = shape
        self.projections = nn.ModuleList(
            StackedLinear(n_models, dim, shape.condition_dim) for dim in shape.condition_dims
        )
        n_inputs = shape.target_dim + shape.time_dim + shape.condition_dim * len(self.projections)
        widths = [n_inputs] + [shape.hidden_dim + shape.time_dim] * (shape.n_layers - 1)
        self.layers = nn.ModuleList(
            StackedLinear(n_models, width, shape.hidden_dim) for width in widths
        )
        self.norms = nn.ModuleList(StackedBatchNorm(n_models, shape.hidden_dim) for _ in widths)
        self.output = StackedLinear(n_models, shape.hidden_dim + shape.time_dim, shape.target_dim)

    def project(self, conditions: list[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
        """Project the conditions; a masked one contributes exactly zero.

        Parameters
        ----------
        conditions
            One tensor a condition, shape (n_models, condition_dims[i], rows). Values of masked
            rows are ignored but must be finite.
        mask
            True where a condition is given, shape (n_models, conditions, rows).

        Returns
        -------
        torch.Tensor
            Shape (n_models, conditions * condition_dim, rows).
        """
        projected = [
            projection(condition) * mask[:, i : i + 1].to(condition)
            for i, (projection, condition) in enumerate(
                zip(self.projections, conditions, strict=True)
            )
        ]
        return torch.cat(projected, dim=1)

    def forward(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, projected: torch.Tensor
    ) -> torch.Tensor:
        """Predict noise or velocity, as ``shape.prediction`` says.

        Parameters
        ----------
        noisy
            ``x_t``, shape (n_models, target_dim, rows).
        timesteps
            Shape (n_models, rows).
        projected
            Result of :meth:`project`.

        Returns
        -------
        torch.Tensor
            Shape (n_models, target_dim, rows).
        """
        time = time_embedding(timesteps, self.shape.time_dim)
        hidden = torch.cat([noisy, time, projected], dim=1)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            activated = functional.relu(norm(layer(hidden)))
            # In one type: under autocast the join would widen both, for the next layer to narrow.
            hidden = torch.cat([activated, time.to(activated.dtype)], dim=1)
        return self.output(hidden)


def initialise_stack(names: Sequence[str], shape: DenoiserShape, seed: int) -> StackedDenoiser:
    """Build a stack with weights that depend on the seed and each model's name alone.

    Parameters
    ----------
    names
        Names of the models.
    shape
        Their shape.
    seed
        Seed of the run.
    """
    states = []
    for key in named_keys(seed, "weights", names).tolist():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key)
            states.append(StackedDenoiser(1, shape).state_dict())
    stack = StackedDenoiser(len(names), shape)
    stack.load_state_dict({name: torch.cat([s[name] for s in states]) for name in states[0]})
    return stack
