import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import fast_training
from environment import Environment
from fast_training import FastRun, train_fast
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.training.tasks import DenoiserTask, single_tasks


@pytest.fixture
def tasks(environment: Environment) -> list[DenoiserTask]:
    return single_tasks(environment.latents, environment.split)


@pytest.fixture
def config(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> TrainingConfig:
    monkeypatch.setattr(fast_training, "STEPS_BETWEEN_VALIDATIONS", 10)
    return replace(environment.training, max_steps=30)


def train(
    environment: Environment,
    tasks: list[DenoiserTask],
    config: TrainingConfig,
    wanted: float,
    to_the_end: bool,
) -> FastRun:
    scores = {task.name: wanted for task in tasks}
    return train_fast(tasks, config, scores, environment.device, to_the_end)


def test_scores_that_anything_reaches_are_reached_at_the_first_validation(
    environment: Environment, tasks: list[DenoiserTask], config: TrainingConfig
) -> None:
    run = train(environment, tasks, config, math.inf, to_the_end=False)
    assert len(run.curve) == len(tasks)
    assert set(run.curve["step"]) == {10}


def test_scores_that_nothing_reaches_take_for_ever(
    environment: Environment, tasks: list[DenoiserTask], config: TrainingConfig
) -> None:
    run = train(environment, tasks, config, -math.inf, to_the_end=False)
    assert run.curve["step"].max() == 30
    wanted = {task.name: -math.inf for task in tasks}
    assert run.reached(wanted)["step"].isna().all()
    assert run.seconds_until(wanted) == math.inf


def test_checkpoints_at_reach_stay_as_they_were_while_training_goes_on(
    environment: Environment, tasks: list[DenoiserTask], config: TrainingConfig
) -> None:
    stopped = train(environment, tasks, config, math.inf, to_the_end=False)
    first = deepcopy(stopped.at_reach)
    whole = train(environment, tasks, config, math.inf, to_the_end=True)
    for before, after in zip(first, whole.at_reach, strict=True):
        assert before.task.name == after.task.name
        assert before.step == after.step == 10
        for name, weight in before.weights.items():
            np.testing.assert_allclose(after.weights[name], weight)
    assert any(model.step > 10 for model in whole.at_end)


def test_the_time_of_a_stack_is_shared_by_its_models(
    environment: Environment, tasks: list[DenoiserTask], config: TrainingConfig
) -> None:
    curve = train(environment, tasks, config, math.inf, to_the_end=True).curve
    last = curve[curve["step"] == 30]
    total = last.groupby("seconds")["share_of_seconds"].sum()
    np.testing.assert_allclose(total, total.index)


def test_the_time_of_validation_is_left_out(
    environment: Environment,
    tasks: list[DenoiserTask],
    config: TrainingConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A clock that only validations advance.
    now = [0.0]
    monkeypatch.setattr(fast_training, "seconds", lambda _: now[0])
    scored = fast_training.StackTrainer._validate

    def slow_validation(trainer: fast_training.StackTrainer, losses: object) -> None:
        now[0] += 100.0
        scored(trainer, losses)

    monkeypatch.setattr(fast_training.StackTrainer, "_validate", slow_validation)
    run = train(environment, tasks, config, math.inf, to_the_end=True)
    assert now[0] > 0
    assert set(run.curve["seconds"]) == {0.0}


def test_times_of_stacks_add_up_and_each_is_that_of_its_slowest_model() -> None:
    # a and b train together, c after them.
    curve = pd.DataFrame(
        [
            ("a", 0, 10, 1.0, 3.0),
            ("b", 0, 10, 1.0, 9.0),
            ("a", 0, 20, 2.0, 1.0),
            ("b", 0, 20, 2.0, 5.0),
            ("c", 1, 10, 4.0, 2.0),
        ],
        columns=["model", "stack", "step", "seconds", "score"],
    )
    run = FastRun(curve, [], [])
    reached = run.reached({"a": 3.0, "b": 6.0, "c": 2.0})
    assert reached["step"].to_dict() == {"a": 10.0, "b": 20.0, "c": 10.0}
    assert reached["seconds"].to_dict() == {"a": 1.0, "b": 2.0, "c": 4.0}
    assert run.seconds_until({"a": 3.0, "b": 6.0, "c": 2.0}) == 6.0
    assert run.seconds_until({"a": 0.5, "b": 6.0, "c": 2.0}) == math.inf
