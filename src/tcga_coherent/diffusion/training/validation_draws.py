"""Draw from each denoiser of a stack on its own, as validation does."""

import torch

from tcga_coherent.diffusion.denoiser import StackedDenoiser
from tcga_coherent.diffusion.inference import FoldedDenoiser
from tcga_coherent.diffusion.noise import derive_keys, normal_noise
from tcga_coherent.diffusion.process import Process
from tcga_coherent.diffusion.sampling.samplers import Sampler


@torch.no_grad()
def sample_stack(
    denoiser: StackedDenoiser,
    process: Process,
    conditions: list[torch.Tensor],
    mask: torch.Tensor,
    keys: torch.Tensor,
    sampler: Sampler,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Draw from each model of a stack on its own.

    Parameters
    ----------
    denoiser
        Models in evaluation mode.
    process
        Path from data to noise they were trained on.
    conditions, mask
        As in :meth:`StackedDenoiser.project`.
    keys
        Noise key of each row, shape (rows,); all models see the same noise.
    sampler
        Sampler.
    dtype
        Of the matrix products.

    Returns
    -------
    torch.Tensor
        Shape (n_models, target_dim, rows).
    """
    folded = FoldedDenoiser(denoiser, process, sampler.timesteps, dtype)
    condition = folded.condition(conditions, mask)
    n_features = denoiser.shape.target_dim
    noisy = normal_noise(derive_keys(keys, 0), n_features).expand(denoiser.n_models, -1, -1)
    for i in range(len(sampler.timesteps)):
        estimate = folded(noisy, i, condition)
        noise = normal_noise(derive_keys(keys, i + 1), n_features)
        noisy = sampler.step(i, noisy, estimate, noise)
    return noisy
