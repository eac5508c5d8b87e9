"""Trained denoisers arranged for sampling: the same function, fewer operations.

In sampling all rows are at the same timestep and conditions do not change. So batch normalisation
is folded into the weights, what a layer adds for the time embedding is a constant of the step, and
what the first layer adds for the conditions is computed once.
"""

from collections.abc import Sequence
from typing import cast

import torch

from tcga_coherent.diffusion.denoiser import (
    StackedBatchNorm,
    StackedDenoiser,
    StackedLinear,
    time_embedding,
)
from tcga_coherent.diffusion.process import Process

_BATCH_NORM_EPSILON = 1e-5


class FoldedDenoiser:
    """A stack of denoisers in evaluation mode, for the timesteps a sampler visits.

    Parameters
    ----------
    denoiser
        Trained stack.
    process
        Path from data to noise it was trained on.
    timesteps
        Timesteps that will be asked for.
    dtype
        Of the matrix products; estimates are float32 whatever it is.
    """

    @torch.no_grad()
    def __init__(
        self,
        denoiser: StackedDenoiser,
        process: Process,
        timesteps: Sequence[int],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = denoiser.shape
        self._dtype = dtype
        self._predicts_velocity = shape.prediction == "velocity"
        self._process, self._timesteps = process, list(timesteps)
        self.n_models = denoiser.n_models
        self._project = denoiser.project
        device = denoiser.output.weight.device
        time = time_embedding(torch.tensor(timesteps, device=device), shape.time_dim)
        self._weights: list[torch.Tensor] = []
        # Of each layer: shape (timesteps, n_models, outputs, 1).
        self._biases: list[torch.Tensor] = []
        self._condition_weight = torch.empty(0)
        norms = cast(list[StackedBatchNorm], list(denoiser.norms))
        layers = cast(list[StackedLinear], [*denoiser.layers, denoiser.output])
        for number, layer in enumerate(layers):
            weight: torch.Tensor = layer.weight
            bias: torch.Tensor = layer.bias
            if number < len(norms):
                norm = norms[number]
                scale = (norm.weight / (norm.running_var + _BATCH_NORM_EPSILON).sqrt())[..., None]
                weight = weight * scale
                bias = (bias - norm.running_mean[..., None]) * scale + norm.bias[..., None]
            # The inputs are: noisy latent, time, conditions (first layer), or hidden, time.
            n_values = shape.target_dim if number == 0 else shape.hidden_dim
            values, for_time, for_conditions = weight.split(
                [n_values, shape.time_dim, weight.shape[2] - n_values - shape.time_dim], dim=2
            )
            if number == 0:
                self._condition_weight = for_conditions.contiguous()
            biases = (for_time @ time + bias).permute(2, 0, 1).unsqueeze(3)
            self._weights.append(values.to(dtype).contiguous())
            self._biases.append(biases.to(dtype).contiguous())

    @torch.no_grad()
    def condition(self, conditions: list[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
        """Return what the first layer adds for the conditions.

        Parameters and masking are those of :meth:`StackedDenoiser.project`.

        Returns
        -------
        torch.Tensor
            Shape (n_models, hidden_dim, rows).
        """
        return (self._condition_weight @ self._project(conditions, mask)).to(self._dtype)

    @torch.no_grad()
    def __call__(self, noisy: torch.Tensor, visit: int, condition: torch.Tensor) -> torch.Tensor:
        """Predict the noise.

        Parameters
        ----------
        noisy
            ``x_t``, shape (n_models, target_dim, rows).
        visit
            Index of the timestep among those given at construction.
        condition
            Result of :meth:`condition`.

        Returns
        -------
        torch.Tensor
            Noise, shape (n_models, target_dim, rows).
        """
        hidden = torch.baddbmm(condition, self._weights[0], noisy.to(self._dtype))
        hidden = hidden.add_(self._biases[0][visit]).relu_()
        for weight, bias in zip(self._weights[1:-1], self._biases[1:-1], strict=True):
            hidden = torch.baddbmm(bias[visit], weight, hidden).relu_()
        output = torch.baddbmm(self._biases[-1][visit], self._weights[-1], hidden).float()
        if self._predicts_velocity:
            return self._process.noise_of(output, noisy, self._timesteps[visit])
        return output
