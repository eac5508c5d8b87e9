"""Training of denoisers of one shape together, resumable at every validation."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser, initialise_stack
from tcga_coherent.diffusion.device import memory_advice, resolve_precision
from tcga_coherent.diffusion.noise import derive_keys, named_keys, normal_noise, uniform_noise
from tcga_coherent.diffusion.sampling.samplers import DPMSolverSampler
from tcga_coherent.diffusion.training.scores import draw_mse, energy_score
from tcga_coherent.diffusion.training.stacked_rows import StackedRows
from tcga_coherent.diffusion.training.tasks import DenoiserTask
from tcga_coherent.diffusion.training.validation_draws import sample_stack

logger = logging.getLogger(__name__)

MAX_SAMPLING_ROWS = 4096
# Steps whose random numbers are drawn together: few large operations cost less than many small ones.
STEPS_AT_ONCE = 32
# Times the squared error of draws that know nothing: no training that converges ends there.
FAR_FROM_DATA = 100.0


@dataclass(frozen=True)
class TrainedDenoiser:
    """The checkpoint of one model that scored best on validation.

    Attributes
    ----------
    task
        What it learned.
    shape
        Its architecture.
    weights
        State of a :class:`StackedDenoiser` of one model.
    energy_score, mse
        Validation scores of its draws.
    step
        Gradient step it was taken at.
    """

    task: DenoiserTask
    shape: DenoiserShape
    weights: dict[str, np.ndarray]
    energy_score: float
    mse: float
    step: int


def with_whole_conditions(trained: TrainedDenoiser) -> TrainedDenoiser:
    """Return the same function of latents and codes: predictions become part of the projections.

    A projection of latents and of a prediction that is linear in the code is linear in both.
    """
    weights, dims = dict(trained.weights), list(trained.shape.condition_dims)
    for i, predictor in enumerate(trained.task.predictors):
        if predictor is None:
            continue
        (coefficients,) = predictor.coefficients.values()
        weight = weights[f"projections.{i}.weight"]
        of_latents, of_prediction = np.split(weight, [dims[i] - coefficients.shape[1]], axis=2)
        of_code = of_prediction.astype(float) @ coefficients.T
        offset = of_prediction.astype(float) @ predictor.intercept[:, None]
        weights[f"projections.{i}.weight"] = np.concatenate(
            [of_latents, of_code.astype(np.float32)], axis=2
        )
        weights[f"projections.{i}.bias"] = (weights[f"projections.{i}.bias"] + offset).astype(
            np.float32
        )
        dims[i] = weights[f"projections.{i}.weight"].shape[2]
    shape = replace(trained.shape, condition_dims=tuple(dims))
    return replace(trained, weights=weights, shape=shape)


@dataclass(frozen=True)
class ValidationRecord:
    """One line of the training history."""

    model: str
    step: int
    train_loss: float
    energy_score: float
    mse: float
    best: bool


@dataclass(frozen=True)
class Randomness:
    """Random numbers of a gradient step.

    Attributes
    ----------
    choice
        Which patient, uniform in (0, 1), shape (n_models, rows).
    timesteps
        Shape (n_models, rows).
    kept
        Whether each source is shown, shape (n_models, sources, rows).
    noise
        Standard normal, shape (n_models, target_dim, rows).
    """

    choice: torch.Tensor
    timesteps: torch.Tensor
    kept: torch.Tensor
    noise: torch.Tensor


def draw_randomness(
    step_keys: torch.Tensor, config: TrainingConfig, shape: DenoiserShape
) -> list[Randomness]:
    """Draw the random numbers of gradient steps, each a function of its key alone.

    Parameters
    ----------
    step_keys
        Shape (steps, n_models).
    config
        Batch size, number of timesteps and share of masked sources.
    shape
        Dimensions of the target and number of the sources.
    """
    rows = torch.arange(config.batch_size, device=step_keys.device)
    keys = derive_keys(step_keys.unsqueeze(2), rows)
    timesteps = (uniform_noise(derive_keys(keys, 1)) * config.process.n_timesteps).long()
    shown = torch.stack(
        [uniform_noise(derive_keys(keys, 2 + i)) for i in range(len(shape.condition_dims))], dim=2
    )
    noise = normal_noise(keys.flatten(), shape.target_dim)
    noise = noise.view(-1, *keys.shape).permute(1, 2, 0, 3).contiguous()
    choice, kept = uniform_noise(derive_keys(keys, 0)), shown >= config.mask_probability
    return [Randomness(*step) for step in zip(choice, timesteps, kept, noise, strict=True)]


def group_by_shape(
    tasks: Sequence[DenoiserTask], config: TrainingConfig
) -> dict[DenoiserShape, list[DenoiserTask]]:
    """Group tasks whose models can be stacked: equal latent sizes of target and sources."""
    groups: dict[DenoiserShape, list[DenoiserTask]] = {}
    for task in tasks:
        shape = DenoiserShape(
            target_dim=task.train.target.shape[1],
            condition_dims=tuple(condition.shape[1] for condition in task.train.conditions),
            hidden_dim=config.architecture.hidden_dim,
            n_layers=config.architecture.n_layers,
            time_dim=config.architecture.time_dim,
            condition_dim=config.architecture.condition_dim,
            prediction=config.prediction,
        )
        groups.setdefault(shape, []).append(task)
    return groups


class StackTrainer:
    """Train the denoisers of several tasks of one shape in one stack.

    Every random number is a function of the seed, the model's name and the step, so a model learns
    the same whichever others are in the stack, and a resumed training goes on as if it had never
    stopped.

    Parameters
    ----------
    tasks
        Tasks of equal shape.
    shape
        That shape.
    config
        Training parameters.
    device
        Where to train.
    """

    def __init__(
        self,
        tasks: Sequence[DenoiserTask],
        shape: DenoiserShape,
        config: TrainingConfig,
        device: torch.device,
    ) -> None:
        self.tasks = list(tasks)
        self.config = config
        self.device = device
        self._dtype = resolve_precision(config.precision, device)
        self._masks = any(task.takes_any_sources for task in tasks)
        self.process = config.process
        self.step = 0
        self.history: list[ValidationRecord] = []
        self._keys = named_keys(config.seed, "training", [t.name for t in tasks]).to(device)
        self._drawn: list[Randomness] = []
        self._drawn_from = 0
        self._train = StackedRows([task.train for task in tasks], device)
        self._validation = StackedRows([task.validation for task in tasks], device)
        self.denoiser = initialise_stack([task.name for task in tasks], shape, config.seed).to(
            device
        )
        self._forward = (
            torch.compile(self.denoiser.forward) if config.compile else self.denoiser.forward
        )
        self.average = StackedDenoiser(len(tasks), shape).to(device).eval()
        self.average.load_state_dict(self.denoiser.state_dict())
        # What is trained and averaged in place, step by step.
        self._trained = list(self.denoiser.state_dict().values())
        self._averaged = list(self.average.state_dict().values())
        self.best = {k: v.clone() for k, v in self.average.state_dict().items()}
        self._best_scores = torch.full((len(tasks), 2), math.inf)
        self._best_steps = [0] * len(tasks)
        self._waits = [0] * len(tasks)
        self._optimizer = torch.optim.AdamW(
            self.denoiser.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )

    @property
    def finished(self) -> bool:
        """True when the budget is spent or every model has stopped improving."""
        patience = self.config.validation.patience
        return self.step >= self.config.max_steps or all(w >= patience for w in self._waits)

    def train(self) -> Iterator[None]:
        """Train to the end, pausing after every validation so that the state can be saved.

        Raises
        ------
        MemoryError
            When the device has no memory for a batch.
        """
        started, first_step = time.monotonic(), self.step
        losses: list[torch.Tensor] = []
        while not self.finished:
            with memory_advice("diffusion_training.batch_size"):
                losses.append(self._train_step())
            self.step += 1
            if self.step % self.config.validation.every == 0 or self.step == self.config.max_steps:
                with memory_advice("diffusion_training.validation.n_draws"):
                    self._validate(torch.stack(losses).mean(dim=0))
                losses = []
                self._log_progress(started, first_step)
                yield

    def results(self) -> list[TrainedDenoiser]:
        """Return the best checkpoint of every model.

        Raises
        ------
        ValueError
            When a model has none: its draws were never finite, or never near the data.
        """
        squares = self._validation.all_rows()[0].square().mean(dim=1)
        scale = (squares * self._validation.valid).sum(dim=1) / self._validation.counts.squeeze(1)
        far = self._best_scores[:, 1] > FAR_FROM_DATA * (1.0 + scale.cpu())
        self._refuse([m for m, best in enumerate(self._best_steps) if best == 0 or bool(far[m])])
        return [
            TrainedDenoiser(
                task=task,
                shape=self.denoiser.shape,
                weights={k: v[m : m + 1].cpu().numpy() for k, v in self.best.items()},
                energy_score=float(self._best_scores[m, 0]),
                mse=float(self._best_scores[m, 1]),
                step=self._best_steps[m],
            )
            for m, task in enumerate(self.tasks)
        ]

    def check_finite(self) -> None:
        """Refuse to go on with models whose loss or draws were not finite at the last validation.

        A model that has stopped improving may do as it likes: its checkpoint is chosen.

        Raises
        ------
        ValueError
            Naming the models.
        """
        latest = self.history[-len(self.tasks) :]
        self._refuse(
            [
                m
                for m, record in enumerate(latest)
                if self._waits[m] < self.config.validation.patience
                and not np.isfinite([record.train_loss, record.energy_score, record.mse]).all()
            ]
        )

    def _refuse(self, diverged: Sequence[int]) -> None:
        if diverged:
            raise ValueError(
                f"The training of {', '.join(self.tasks[m].name for m in diverged)} has diverged by "
                f"step {self.step}: losses or draws are not finite, or far from all data. Lower "
                f"diffusion_training.learning_rate, which is {self.config.learning_rate:g}."
            )

    def state(self) -> tuple[dict[str, np.ndarray], dict]:
        """Return everything that :meth:`load_state` needs to go on, as arrays and JSON."""
        arrays = {
            f"{part}/{name}": tensor.detach().cpu().numpy()
            for part, tensors in (
                ("denoiser", self.denoiser.state_dict()),
                ("average", self.average.state_dict()),
                ("best", self.best),
                ("optimizer", self._optimizer_tensors()),
            )
            for name, tensor in tensors.items()
        }
        return arrays, {
            "step": self.step,
            "best_scores": self._best_scores.tolist(),
            "best_steps": self._best_steps,
            "waits": self._waits,
            "history": [vars(record) for record in self.history],
        }

    def load_state(self, arrays: dict[str, np.ndarray], metadata: dict) -> None:
        """Go on from the result of :meth:`state`."""

        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {
                name.removeprefix(f"{prefix}/"): torch.from_numpy(array).to(self.device)
                for name, array in arrays.items()
                if name.startswith(f"{prefix}/")
            }

        self.denoiser.load_state_dict(part("denoiser"))
        self.average.load_state_dict(part("average"))
        self.best = part("best")
        moments = part("optimizer")
        state = self._optimizer.state_dict()
        state["state"] = {
            i: {
                "step": torch.tensor(float(metadata["step"]), device=self.device),
                "exp_avg": moments[f"{i}.exp_avg"],
                "exp_avg_sq": moments[f"{i}.exp_avg_sq"],
            }
            for i in range(len(list(self.denoiser.parameters())))
        }
        self._optimizer.load_state_dict(state)
        self.step = metadata["step"]
        self._best_scores = torch.tensor(metadata["best_scores"])
        self._best_steps = list(metadata["best_steps"])
        self._waits = list(metadata["waits"])
        self.history = [ValidationRecord(**record) for record in metadata["history"]]

    def _optimizer_tensors(self) -> dict[str, torch.Tensor]:
        return {
            f"{i}.{name}": state[name]
            for i, state in self._optimizer.state_dict()["state"].items()
            for name in ("exp_avg", "exp_avg_sq")
        }

    def _train_step(self) -> torch.Tensor:
        """Take one gradient step on the squared error (eqs. 5 and 6); return each model's loss."""
        random = self._randomness()
        timesteps, noise = random.timesteps, random.noise
        target, conditions, mask = self._train.take(random.choice)
        if self._masks:
            mask = mask & random.kept
        noisy = self.process.add_noise(target, noise, timesteps.unsqueeze(1))

        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        wanted = noise
        if self.config.prediction == "velocity":
            wanted = self.process.velocity(target, noise, timesteps.unsqueeze(1))
        with torch.autocast(
            self.device.type, torch.bfloat16, enabled=self._dtype == torch.bfloat16
        ):
            predicted = self._forward(noisy, timesteps, self.denoiser.project(conditions, mask))
        losses = (predicted - wanted).square().mean(dim=(1, 2))
        self._optimizer.zero_grad(set_to_none=True)
        # The sum keeps the models' gradients apart: each weight belongs to one of them.
        losses.sum().backward()
        self._optimizer.step()
        self._update_average()
        return losses.detach()

    def _randomness(self) -> "Randomness":
        """Return the random numbers of this step, drawn for several steps in few operations."""
        number = self.step - self._drawn_from
        if not 0 <= number < len(self._drawn):
            number, self._drawn_from = 0, self.step
            steps = torch.arange(self.step, self.step + STEPS_AT_ONCE, device=self.device)
            self._drawn = draw_randomness(
                derive_keys(self._keys.unsqueeze(0), steps.unsqueeze(1)),
                self.config,
                self.denoiser.shape,
            )
        return self._drawn[number]

    def _learning_rate(self) -> float:
        if self.config.learning_rate_schedule == "constant":
            return self.config.learning_rate
        progress = self.step / self.config.max_steps
        return self.config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))

    @torch.no_grad()
    def _update_average(self) -> None:
        # A young average would remember the initial weights; it starts short and grows.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(
            self._averaged,
            self._trained,
            1.0 - decay,
        )

    def _validate(self, train_losses: torch.Tensor) -> None:
        """Score draws of the averaged models and keep the weights of those that improved."""
        settings = self.config.validation
        draws = self._validation_draws()
        truth, _, _ = self._validation.all_rows()
        valid = self._validation.valid
        scores = torch.stack(
            [
                (score(draws, truth) * valid).sum(dim=1) / valid.sum(dim=1)
                for score in (energy_score, draw_mse)
            ],
            dim=1,
        ).cpu()
        criterion = 0 if settings.criterion == "energy_score" else 1
        for m, task in enumerate(self.tasks):
            running = self._waits[m] < settings.patience
            best = running and bool(scores[m, criterion] < self._best_scores[m, criterion])
            if best:
                self._best_scores[m] = scores[m]
                self._best_steps[m] = self.step
                for name, tensor in self.average.state_dict().items():
                    self.best[name][m] = tensor[m]
            if running:
                self._waits[m] = 0 if best else self._waits[m] + 1
            self.history.append(
                ValidationRecord(
                    model=task.name,
                    step=self.step,
                    train_loss=float(train_losses[m]),
                    energy_score=float(scores[m, 0]),
                    mse=float(scores[m, 1]),
                    best=best,
                )
            )

    def _validation_draws(self) -> torch.Tensor:
        """Return draws, shape (n_models, target_dim, patients, n_draws)."""
        settings = self.config.validation
        target, conditions, mask = self._validation.all_rows()
        n_patients = target.shape[2]
        sampler = DPMSolverSampler(self.process, settings.n_steps)
        keys = named_keys(self.config.seed, "validation", [str(i) for i in range(n_patients)])
        per_chunk = max(1, MAX_SAMPLING_ROWS // settings.n_draws)
        chunks = []
        for start in range(0, n_patients, per_chunk):
            part = slice(start, start + per_chunk)
            patient_keys = keys[part].to(self.device)
            draw_keys = derive_keys(
                patient_keys.unsqueeze(1), torch.arange(settings.n_draws, device=self.device)
            )
            drawn = sample_stack(
                self.average,
                self.process,
                [c[:, :, part].repeat_interleave(settings.n_draws, dim=2) for c in conditions],
                mask[:, :, part].repeat_interleave(settings.n_draws, dim=2),
                draw_keys.flatten(),
                sampler,
                self._dtype,
            )
            chunks.append(drawn.unflatten(2, (-1, settings.n_draws)))
        return torch.cat(chunks, dim=2)

    def _log_progress(self, started: float, first_step: int) -> None:
        latest = self.history[-len(self.tasks) :]
        elapsed = time.monotonic() - started
        left = elapsed / (self.step - first_step) * (self.config.max_steps - self.step)
        logger.info(
            "step %d of %d: training loss %.3f, validation energy score %.3f, %d of %d models "
            "improved, %.1f min left at most",
            self.step,
            self.config.max_steps,
            np.mean([record.train_loss for record in latest]),
            np.mean([record.energy_score for record in latest]),
            sum(record.best for record in latest),
            len(latest),
            left / 60,
        )
