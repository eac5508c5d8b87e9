"""The engine's validation score, for plain models."""

from dataclasses import replace

import torch

from plain_denoiser import PlainDenoiser, stack_from_plain
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.device import resolve_precision
from tcga_coherent.diffusion.noise import derive_keys, named_keys
from tcga_coherent.diffusion.sampling.samplers import DPMSolverSampler
from tcga_coherent.diffusion.training.scores import draw_mse, energy_score
from tcga_coherent.diffusion.training.tasks import DenoiserTask
from tcga_coherent.diffusion.training.validation_draws import sample_stack

# With the few draws that training takes, one model's score differs by .005 from one set of noise to
# the next: more than models differ when they are nearly done.
DRAWS = 32


def with_precise_scores(config: TrainingConfig) -> TrainingConfig:
    """Return training parameters whose validation scores hold little noise."""
    return replace(config, validation=replace(config.validation, n_draws=DRAWS))


class ValidationScore:
    """Score a plain model by the draws by which the engine scores its own.

    Parameters
    ----------
    task
        Task of the model.
    config
        The engine's parameters.
    device
        Where to draw.
    """

    def __init__(self, task: DenoiserTask, config: TrainingConfig, device: torch.device) -> None:
        self._process = config.process
        self._dtype = resolve_precision(config.precision, device)
        self._n_draws = config.validation.n_draws
        self._sampler = DPMSolverSampler(self._process, config.validation.n_steps)
        rows = task.validation
        self._truth = torch.from_numpy(rows.target).T.to(device)
        self._condition = torch.from_numpy(rows.conditions[0]).T.to(device).unsqueeze(0)
        patients = [str(i) for i in range(len(rows.target))]
        keys = named_keys(config.seed, "validation", patients).to(device)
        counters = torch.arange(self._n_draws, device=device)
        self._keys = derive_keys(keys.unsqueeze(1), counters).flatten()

    def __call__(self, model: PlainDenoiser) -> float:
        """Return the energy score."""
        return float(energy_score(self._draws(model), self._truth).mean())

    def mse(self, model: PlainDenoiser) -> float:
        """Return the mean squared error of single draws."""
        return float(draw_mse(self._draws(model), self._truth).mean())

    def _draws(self, model: PlainDenoiser) -> torch.Tensor:
        """Return draws, shape (target_dim, patients, n_draws)."""
        condition = self._condition.repeat_interleave(self._n_draws, dim=2)
        mask = torch.ones(1, 1, len(self._keys), dtype=torch.bool, device=condition.device)
        drawn = sample_stack(
            stack_from_plain(model),
            self._process,
            [condition],
            mask,
            self._keys,
            self._sampler,
            self._dtype,
        )
        return drawn[0].unflatten(1, (-1, self._n_draws))
