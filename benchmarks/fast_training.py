"""Training by the engine, timed without its validations."""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch

from clock import seconds
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.training.tasks import DenoiserTask
from tcga_coherent.diffusion.training.trainer import StackTrainer, TrainedDenoiser, group_by_shape

# Fine enough to see when a model reaches a score.
STEPS_BETWEEN_VALIDATIONS = 50


@dataclass(frozen=True)
class FastRun:
    """A training of the engine.

    Attributes
    ----------
    curve
        One row a model and validation: ``model``, ``stack`` (its number), ``step``, ``seconds`` of
        the stack, ``share_of_seconds`` (divided by the models of the stack) and ``score``.
    at_reach, at_end
        Best checkpoints when all had reached their scores, and at the end.
    """

    curve: pd.DataFrame
    at_reach: list[TrainedDenoiser]
    at_end: list[TrainedDenoiser]

    def reached(self, wanted: Mapping[str, float]) -> pd.DataFrame:
        """Return when each model first had a score; ``step`` is missing where it never had.

        Parameters
        ----------
        wanted
            Model to score.

        Returns
        -------
        DataFrame
            Index model, columns ``stack``, ``step`` and ``seconds`` of the stack, infinite where
            it never had.
        """
        hits = self.curve[self.curve["score"] <= self.curve["model"].map(wanted)]
        first = hits.groupby("model")[["step", "seconds"]].first()
        found = self.curve.groupby("model", sort=False)[["stack"]].first().join(first)
        return found.fillna({"seconds": math.inf})

    def seconds_until(self, wanted: Mapping[str, float]) -> float:
        """Return the training time until every model had its score; stacks train in turn."""
        return float(self.reached(wanted).groupby("stack")["seconds"].max().sum())


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
    rows: list[dict[str, Any]] = []
    at_reach: list[TrainedDenoiser] = []
    at_end: list[TrainedDenoiser] = []
    for number, (shape, group) in enumerate(group_by_shape(tasks, config).items()):
        trainer = TimedTrainer(group, shape, config, device)
        snapshot: list[TrainedDenoiser] | None = None
        missing = {task.name for task in group}
        trained = 0.0
        started = seconds(device)
        for _ in trainer.train():
            paused = seconds(device)
            trained = paused - started - trainer.validation_seconds
            for record in trainer.history[-len(group) :]:
                rows.append(
                    {
                        "model": record.model,
                        "stack": number,
                        "step": record.step,
                        "seconds": trained,
                        "share_of_seconds": trained / len(group),
                        "score": record.energy_score,
                    }
                )
                if record.energy_score <= wanted[record.model]:
                    missing.discard(record.model)
            if snapshot is None and not missing:
                # A copy: the trainer goes on writing to these arrays.
                snapshot = deepcopy(trainer.results())
                if not to_the_end:
                    break
            started += seconds(device) - paused
        at_end += trainer.results()
        at_reach += snapshot or trainer.results()
        print(
            f"engine: {len(group)} models, {trainer.step} steps in {trained:.1f} s without "
            f"{trainer.validation_seconds:.1f} s of validations",
            flush=True,
        )
    return FastRun(pd.DataFrame(rows), at_reach, at_end)
