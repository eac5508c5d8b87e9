"""Search for the denoisers' hyperparameters (Methods, "Model implementation and training")."""

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.training.tasks import DenoiserTask
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape
from tcga_coherent.diffusion.training.tuning_config import (
    TuningConfig,
    Value,
    apply_settings,
    current_settings,
)

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelScore:
    """Validation scores of a model's best checkpoint, infinite where it never had a finite one."""

    energy_score: float
    mse: float
    step: int


@dataclass(frozen=True)
class Trial:
    """The models trained with one choice of hyperparameters.

    Attributes
    ----------
    settings
        Value of each searched hyperparameter.
    pruned
        Whether the training was stopped as hopeless. Its scores are then those reached so far,
        which a whole training could only have improved.
    scores
        Model to the scores of its best checkpoint.
    curve
        Step of each validation and the mean over the models of the best score until then.
    """

    settings: dict[str, Value]
    pruned: bool
    scores: dict[str, ModelScore]
    curve: tuple[tuple[int, float], ...]


def select_tasks(tasks: Sequence[DenoiserTask], models: Sequence[str] | None) -> list[DenoiserTask]:
    """Return the tasks with the names of the parameter ``tuning.models``, all where it is None.

    Raises
    ------
    ValueError
        When there is no such task.
    """
    if models is None:
        return list(tasks)
    names = [task.name for task in tasks]
    unknown = [name for name in models if name not in names]
    if unknown or not models:
        raise ValueError(
            f"tuning.models names {', '.join(unknown) or 'no model'}: this family has "
            f"{', '.join(names)}. Name some of these, or set it to null for all."
        )
    return [task for task in tasks if task.name in models]


def search(
    tasks: Sequence[DenoiserTask],
    config: TrainingConfig,
    tuning: TuningConfig,
    device: torch.device,
    finished: Sequence[Trial] = (),
) -> Iterator[list[Trial]]:
    """Yield the list of trials each time that it has grown by one.

    The first trial has the settings of `config`; the others are chosen by the sampler. Settings
    that were tried before are not trained again. What trial *n* does follows from the seed and the
    trials before it alone, so a search that goes on from some `finished` trials ends like one that
    was never interrupted.

    Parameters
    ----------
    tasks
        What the models learn; all are trained in each trial.
    config
        Training parameters; those that are searched and the budget are replaced.
    tuning
        Search parameters.
    device
        Where to train.
    finished
        First trials of the same search.

    Raises
    ------
    ValueError
        When a model has no finite score with the settings of `config`, which the others are
        compared with.
    """
    trials = list(finished)
    budget = replace(
        config,
        max_steps=tuning.max_steps,
        validation=replace(config.validation, every=tuning.validation_every),
    )
    while len(trials) <= tuning.total_trials:
        number, started = len(trials), time.monotonic()
        asked = _ask(trials[1:], tuning) if trials else None
        settings = asked.params if asked else current_settings(config, tuning)
        logger.info("Trial %d of %d: %s", number, tuning.total_trials, _describe(settings))
        same = next((n for n, trial in enumerate(trials) if trial.settings == settings), None)
        if same is None:
            trials.append(_train(tasks, budget, settings, asked, device))
        else:
            logger.info("Trial %d has the settings of trial %d and is not trained", number, same)
            trials.append(trials[same])
        if number == 0:
            _check_finite(trials[0])
        logger.info(
            "Trial %d%s: mean %s %.4f, that of the present settings %.4f, %.0f s",
            number,
            " was pruned" if trials[-1].pruned else "",
            config.validation.criterion,
            trials[-1].curve[-1][1],
            trials[0].curve[-1][1],
            time.monotonic() - started,
        )
        yield list(trials)


def _ask(trials: Sequence[Trial], tuning: TuningConfig) -> "optuna.Trial":
    """Ask a study of the former trials for the next one.

    A study and a sampler are made for each trial: then nothing but the trials needs to be kept for
    a search to go on.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seed = int(np.random.SeedSequence([tuning.seed, len(trials)]).generate_state(1)[0])
    samplers = {
        # The order of the grid must not change from one trial to the next.
        "grid": lambda: optuna.samplers.GridSampler(tuning.candidates, seed=tuning.seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
    }
    pruner = optuna.pruners.MedianPruner(n_warmup_steps=math.ceil(tuning.max_steps / 2))
    study = optuna.create_study(
        sampler=samplers[tuning.sampler](),
        pruner=pruner if tuning.prune else optuna.pruners.NopPruner(),
    )
    distributions: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.CategoricalDistribution(values)
        for name, values in tuning.candidates.items()
    }
    states = optuna.trial.TrialState
    for trial in trials:
        study.add_trial(
            optuna.trial.create_trial(
                state=states.PRUNED if trial.pruned else states.COMPLETE,
                value=trial.curve[-1][1],
                params=trial.settings,
                distributions=distributions,
                intermediate_values=dict(trial.curve),
            )
        )
    return study.ask(distributions)


def _train(
    tasks: Sequence[DenoiserTask],
    config: TrainingConfig,
    settings: Mapping[str, Value],
    asked: "optuna.Trial | None",
    device: torch.device,
) -> Trial:
    """Train all models; stop where `asked` says that there is no hope."""
    config = apply_settings(config, settings)
    trainers = [
        StackTrainer(group, shape, config, device)
        for shape, group in group_by_shape(tasks, config).items()
    ]
    curve: list[tuple[int, float]] = []
    pruned = False
    # Stacks of different shape train side by side, so that each validation knows all models.
    for _ in zip_longest(*(trainer.train() for trainer in trainers)):
        scores = _best_scores(trainers)
        step = max(trainer.step for trainer in trainers)
        mean = float(np.mean([getattr(s, config.validation.criterion) for s in scores.values()]))
        curve.append((step, mean))
        if asked is not None:
            asked.report(mean, step)
            pruned = step < config.max_steps and asked.should_prune()
        if pruned:
            break
    return Trial(dict(settings), pruned, _best_scores(trainers), tuple(curve))


def _check_finite(trial: Trial) -> None:
    diverged = [name for name, score in trial.scores.items() if math.isinf(score.energy_score)]
    if diverged:
        raise ValueError(
            f"With the settings of diffusion_training the validation scores of "
            f"{', '.join(diverged)} are never finite. Trials are compared with these settings: "
            f"lower diffusion_training.learning_rate first."
        )


def _best_scores(trainers: Sequence[StackTrainer]) -> dict[str, ModelScore]:
    scores = {
        task.name: ModelScore(math.inf, math.inf, 0)
        for trainer in trainers
        for task in trainer.tasks
    }
    for trainer in trainers:
        for record in trainer.history:
            if record.best:
                scores[record.model] = ModelScore(record.energy_score, record.mse, record.step)
    return scores


def _describe(settings: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
