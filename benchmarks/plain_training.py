"""Training as one would first write it: a model at a time, a row at a time through a loader.

Adam at a constant rate on the squared noise error (eqs. 5 and 6); no moving average of the weights.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from clock import seconds
from plain_denoiser import PlainDenoiser
from tcga_coherent.diffusion.denoiser import DenoiserShape
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.training.tasks import DenoiserTask, Rows


@dataclass(frozen=True)
class PlainBudget:
    """How long a plain model is trained.

    Attributes
    ----------
    max_steps
        Gradient steps at most.
    every
        Steps between two validations.
    patience
        Validations without improvement after which the training stops.
    batch_size, learning_rate
        Of Adam.
    """

    max_steps: int
    every: int
    patience: int
    batch_size: int = 64
    learning_rate: float = 1e-3


@dataclass(frozen=True)
class PlainRun:
    """A plain training.

    Attributes
    ----------
    model
        The weights that scored best.
    best_score
        Their validation score.
    seconds_to_best
        Training time until then.
    curve
        (step, training time in seconds, validation score) of each validation.
    """

    model: PlainDenoiser
    best_score: float
    seconds_to_best: float
    curve: list[tuple[int, float, float]]


class PairRows(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Patients that have target and source, one at a time."""

    def __init__(self, rows: Rows) -> None:
        self.target = torch.from_numpy(rows.target)
        self.condition = torch.from_numpy(rows.conditions[0])

    def __len__(self) -> int:
        """Return the number of patients."""
        return len(self.target)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the latents of one patient."""
        return self.target[index], self.condition[index]


def train_plain(
    task: DenoiserTask,
    shape: DenoiserShape,
    process: LinearBeta,
    budget: PlainBudget,
    score: Callable[[PlainDenoiser], float],
    device: torch.device,
    seed: int,
) -> PlainRun:
    """Train one model until its budget or patience is spent.

    Parameters
    ----------
    task, shape
        What it learns, and its architecture.
    process
        Path from data to noise.
    budget
        Budget.
    score
        Returns the validation score of a model in evaluation mode, lower is better; its time is not
        counted.
    device
        Where to train.
    seed
        Seed of initial weights, batches and noise.
    """
    torch.manual_seed(seed)
    model = PlainDenoiser(shape).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=budget.learning_rate)
    # A last batch of one patient has no variance to normalise with.
    loader = DataLoader(PairRows(task.train), budget.batch_size, shuffle=True, drop_last=True)
    alphas_cumprod = process.alphas_cumprod.float().to(device)
    best, best_score, seconds_to_best = deepcopy(model), float("inf"), 0.0
    curve: list[tuple[int, float, float]] = []
    step, waited, trained = 0, 0, 0.0
    started = seconds(device)
    while step < budget.max_steps and waited < budget.patience:
        for target, condition in loader:
            clean, condition = target.to(device), condition.to(device)
            timesteps = torch.randint(0, process.n_timesteps, (len(clean),), device=device)
            noise = torch.randn_like(clean)
            alpha_bar = alphas_cumprod[timesteps].unsqueeze(1)
            noisy = alpha_bar.sqrt() * clean + (1.0 - alpha_bar).sqrt() * noise
            loss = nn.functional.mse_loss(model(noisy, timesteps, condition), noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step % budget.every == 0 or step == budget.max_steps:
                trained += seconds(device) - started
                model.eval()
                value = score(model)
                model.train()
                curve.append((step, trained, value))
                waited += 1
                if value < best_score:
                    best, best_score, seconds_to_best, waited = deepcopy(model), value, trained, 0
                started = seconds(device)
            if step == budget.max_steps or waited == budget.patience:
                break
    return PlainRun(best.eval(), best_score, seconds_to_best, curve)
