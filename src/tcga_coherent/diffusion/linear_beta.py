"""The paper's path: noise is added in steps whose variance rises evenly."""

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.process import Process

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class LinearBeta(Process):
    """Linear schedule of Ho et al. (2020), with ``alpha_t^2 + sigma_t^2 = 1``.

    Attributes
    ----------
    n_timesteps
        Number of noising steps T. The paper counts them from 1.
    beta_start, beta_end
        Variance of the first and of the last.
    kind
        Its name in the parameters.
    """

    n_timesteps: int = Field(default=1000, ge=2)
    beta_start: float = Field(default=1e-4, gt=0)
    beta_end: float = Field(default=0.02, gt=0, lt=1)
    kind: Literal["linear_beta"] = "linear_beta"

    @model_validator(mode="after")
    def _check_order(self) -> "LinearBeta":
        if self.beta_start > self.beta_end:
            raise ValueError(
                f"beta_start is {self.beta_start:g} and beta_end {self.beta_end:g}: the noise must not "
                f"fall from step to step. Lower beta_start, or raise beta_end."
            )
        return self

    @cached_property
    def betas(self) -> "torch.Tensor":
        """Variances ``beta_t``, shape (n_timesteps,), double precision."""
        import torch

        return torch.linspace(self.beta_start, self.beta_end, self.n_timesteps, dtype=torch.float64)

    @cached_property
    def alphas_cumprod(self) -> "torch.Tensor":
        """Signal retention ``alpha_bar_t = alpha_t^2`` (eq. 2), shape (n_timesteps,), double precision."""
        return (1.0 - self.betas).cumprod(dim=0)

    @cached_property
    def alpha(self) -> "torch.Tensor":
        """Square root of the signal retention."""
        return self.alphas_cumprod.sqrt()

    @cached_property
    def sigma(self) -> "torch.Tensor":
        """Square root of what is left of 1."""
        return (1.0 - self.alphas_cumprod).sqrt()
