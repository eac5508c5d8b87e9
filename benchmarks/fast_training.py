"""Training by the engine, timed without its validations."""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import pandas as pd
import torch

from clock import seconds
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.tasks import DenoiserTask
from tcga_coherent.diffusion.training import StackTrainer, TrainedDenoiser, group_by_shape

# Fine enough to see when a model reaches a score.
STEPS_BETWEEN_VALIDATIONS = 50


@dataclass(frozen=True)
class FastRun:
    """A training of the engine.

    Attributes
    ----------
    curve
        One row a model and validation: ``model``, ``step``, ``seconds`` of its stack,
        ``share_of_seconds`` (divided by the models of the stack) and ``score``.
    reached
        Model to (step, seconds of its stack) when it reached the score it was given; absent where
        it never did.
    seconds
        Training time until every model had, infinite where one never did.
    at_reach, at_end
        Best checkpoints when all had reached their scores, and at the end.
    """

    curve: pd.DataFrame
    reached: dict[str, tuple[int, float]]
    seconds: float
    at_reach: list[TrainedDenoiser]
    at_end: list[TrainedDenoiser]


class TimedTrainer(StackTrainer):
    """The engine's trainer, which also counts the time that its validations take."""

    validation_seconds = 0.0

    def _validate(self, train_losses: torch.Tensor) -> None:
        started = seconds(self.device)
        super()._validate(train_losses)
        self.validation_seconds += seconds(self.device) - started


def train_fast(
    tasks: Sequence[DenoiserTask],
    config: TrainingConfig,
    wanted: Mapping[str, float],
    device: torch.device,
    to_the_end: bool,
) -> FastRun:
    """Train stacks until every model has reached the score that is wanted of it.

    Parameters
    ----------
    tasks
        Tasks.
    config
        The engine's parameters.
    wanted
        Model to validation energy score.
    device
        Where to train.
    to_the_end
        Whether to go on afterwards until the budget or the patience is spent.
    """
    # As patient in steps as the environment is, though it is validated more often.
    validation = config.validation
    patience = math.ceil(validation.patience * validation.every / STEPS_BETWEEN_VALIDATIONS)
    config = replace(
        config,
        validation=replace(validation, every=STEPS_BETWEEN_VALIDATIONS, patience=patience),
    )
    curve: list[tuple[str, int, float, float, float]] = []
    reached: dict[str, tuple[int, float]] = {}
    at_reach: list[TrainedDenoiser] = []
    at_end: list[TrainedDenoiser] = []
    total = 0.0
    for shape, group in group_by_shape(tasks, config).items():
        trainer = TimedTrainer(group, shape, config, device)
        snapshot: list[TrainedDenoiser] | None = None
        trained = 0.0
        started = seconds(device)
        for _ in trainer.train():
            paused = seconds(device)
            trained = paused - started - trainer.validation_seconds
            for record in trainer.history[-len(group) :]:
                curve.append(
                    (
                        record.model,
                        record.step,
                        trained,
                        trained / len(group),
                        record.energy_score,
                    )
                )
                if record.energy_score <= wanted[record.model]:
                    reached.setdefault(record.model, (record.step, trained))
            if snapshot is None and all(task.name in reached for task in group):
                # A copy: the trainer goes on writing to these arrays.
                snapshot = deepcopy(trainer.results())
                total += trained
                if not to_the_end:
                    break
            started += seconds(device) - paused
        if snapshot is None:
            total = math.inf
        at_end += trainer.results()
        at_reach += snapshot or trainer.results()
        print(
            f"engine: {len(group)} models, {trainer.step} steps in {trained:.1f} s without "
            f"{trainer.validation_seconds:.1f} s of validations",
            flush=True,
        )
    columns = ["model", "step", "seconds", "share_of_seconds", "score"]
    return FastRun(pd.DataFrame(curve, columns=columns), reached, total, at_reach, at_end)
