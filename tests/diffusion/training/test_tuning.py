import dataclasses
import itertools
import logging
import math

import pytest
import torch

from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.training import tuning as tuning_module
from tcga_coherent.diffusion.training.tasks import single_tasks
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape
from tcga_coherent.diffusion.training.tuning import ModelScore, Trial, search, select_tasks
from tcga_coherent.diffusion.training.tuning_config import TuningConfig

CPU = torch.device("cpu")
SAMPLERS = ["grid", "random", "tpe"]
SPACE = {"learning_rate": (1e-2, 1e-3), "n_layers": (1, 2), "condition_dim": (2, 4)}


def tiny(**changes) -> TuningConfig:
    """Four gradient steps a trial."""
    settings = {"space": SPACE, "max_steps": 4, "validation_every": 2, "n_trials": 4}
    return TuningConfig(**settings | changes)


@pytest.fixture
def quick(quick) -> TrainingConfig:
    validation = dataclasses.replace(quick.validation, n_draws=2, n_steps=5)
    return dataclasses.replace(quick, validation=validation)


@pytest.fixture
def tasks(latents, split):
    return single_tasks(latents, split)[:2]


@pytest.fixture
def trainings(monkeypatch) -> list[TrainingConfig]:
    """Parameters of the trainings that are started, one entry a stack."""
    started = []

    class CountedTrainer(StackTrainer):
        def __init__(self, tasks, shape, config, device) -> None:
            started.append(config)
            super().__init__(tasks, shape, config, device)

    monkeypatch.setattr(tuning_module, "StackTrainer", CountedTrainer)
    return started


def finish(tasks, config, tuning, finished=()) -> list[Trial]:
    return list(search(tasks, config, tuning, CPU, finished))[-1]


def test_the_grid_covers_every_point_once_after_the_present_settings(tasks, quick, trainings):
    trials = finish(tasks, quick, tiny(sampler="grid", n_trials=None))
    assert trials[0].settings == {"learning_rate": 1e-3, "n_layers": 2, "condition_dim": 8}
    points = [tuple(trial.settings[name] for name in SPACE) for trial in trials[1:]]
    assert sorted(points) == sorted(itertools.product(*SPACE.values()))
    assert len(trainings) == 1 + 8


def test_a_grid_of_fewer_trials_than_points_is_not_its_first_rows(tasks, quick):
    first = finish(tasks, quick, tiny(sampler="grid"))[1:]
    assert len({trial.settings["learning_rate"] for trial in first}) == 2


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_gives_the_same_trials_and_another_seed_others(tasks, quick, sampler):
    first, second = (finish(tasks, quick, tiny(sampler=sampler)) for _ in range(2))
    assert first == second
    other = finish(tasks, quick, tiny(sampler=sampler, seed=1))
    assert [trial.settings for trial in other] != [trial.settings for trial in first]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_that_goes_on_repeats_no_trial_and_ends_like_an_uninterrupted_one(
    tasks, quick, sampler, trainings
):
    # More trials than the 5 after which pruning, and the 10 after which the estimator sets in.
    tuning = tiny(sampler=sampler, n_trials=14)
    whole = finish(tasks, quick, tuning)
    n_trainings = len(trainings)
    assert finish(tasks, quick, tuning, whole[:7]) == whole
    distinct = len({tuple(trial.settings.values()) for trial in whole[:7]})
    assert len(trainings) - n_trainings == n_trainings - distinct
    assert list(search(tasks, quick, tuning, CPU, whole)) == []


def test_settings_that_were_tried_before_are_not_trained_again(tasks, quick, trainings):
    tuning = tiny(sampler="random", n_trials=6, space={"n_layers": (1, 2)})
    trials = finish(tasks, quick, tuning)
    assert len(trials) == 7
    assert len(trainings) == 2  # one layer, and two layers like the present settings
    assert len({trial.curve for trial in trials}) == 2


def test_scores_of_a_trial_are_those_of_a_training_with_its_settings(tasks, quick):
    trial = finish(tasks, quick, tiny(sampler="grid", n_trials=1))[1]
    config = dataclasses.replace(
        quick,
        max_steps=4,
        learning_rate=trial.settings["learning_rate"],
        validation=dataclasses.replace(quick.validation, every=2),
        architecture=dataclasses.replace(
            quick.architecture,
            n_layers=trial.settings["n_layers"],
            condition_dim=trial.settings["condition_dim"],
        ),
    )
    ((shape, group),) = group_by_shape(tasks, config).items()
    trainer = StackTrainer(group, shape, config, CPU)
    for _ in trainer.train():
        pass
    assert trial.scores == {
        r.task.name: ModelScore(r.energy_score, r.mse, r.step) for r in trainer.results()
    }
    mean = sum(score.energy_score for score in trial.scores.values()) / 2
    assert trial.curve[-1] == (4, pytest.approx(mean))


def test_a_learning_rate_that_learns_nothing_loses(tasks, quick):
    tuning = TuningConfig(
        space={"learning_rate": (1e-2, 1e-9)},
        sampler="grid",
        n_trials=None,
        max_steps=60,
        validation_every=20,
    )
    trials = finish(tasks, quick, tuning)
    score = {trial.settings["learning_rate"]: trial.scores for trial in trials[1:]}
    for name in ("a_from_b", "a_from_c"):
        assert score[1e-2][name].energy_score < 0.9 * score[1e-9][name].energy_score


@pytest.mark.parametrize(("prune", "steps"), [(True, [2, 4, 6]), (False, [2, 4, 6, 8, 10])])
def test_a_hopeless_trial_stops_past_half_of_its_budget(tasks, quick, prune, steps):
    tuning = tiny(space={"hidden_dim": (4, 5, 6, 7, 8, 9)}, sampler="grid", n_trials=None)
    tuning = dataclasses.replace(tuning, max_steps=10, prune=prune)
    # Scores that no training reaches, so that the sixth trial is worse than their median.
    curve = tuple((step, 0.01) for step in (2, 4, 6, 8, 10))
    trials = itertools.islice(search(tasks, quick, tuning, CPU), 6)
    former = [dataclasses.replace(trial, curve=curve, pruned=False) for trial in list(trials)[-1]]
    last = finish(tasks, quick, tuning, former)[-1]
    assert last.pruned is prune
    assert [step for step, _ in last.curve] == steps


def test_models_of_different_latent_size_share_a_trial(latents, split, quick):
    latents["c"] = latents["c"].iloc[:, :2]
    tasks = single_tasks(latents, split)
    trial = finish(tasks, quick, tiny(n_trials=1))[1]
    assert set(trial.scores) == {task.name for task in tasks}
    assert [step for step, _ in trial.curve] == [2, 4]


def test_a_trial_that_diverges_has_an_infinite_score(tasks, quick):
    tuning = tiny(space={"learning_rate": (1e30,)}, n_trials=1)
    trials = finish(tasks, quick, tuning)
    assert math.isinf(trials[1].scores["a_from_b"].energy_score)
    assert math.isinf(trials[1].curve[-1][1])


def test_present_settings_that_diverge_stop_the_search(tasks, quick):
    config = dataclasses.replace(quick, learning_rate=1e30)
    with pytest.raises(ValueError, match=r"scores of a_from_b, a_from_c are never finite.*lower"):
        finish(tasks, config, tiny())


def test_the_search_writes_no_files_and_keeps_optuna_quiet(
    tasks, quick, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    finish(tasks, quick, tiny())
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_the_log_compares_each_trial_with_the_present_settings(tasks, quick, caplog):
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        trials = finish(tasks, quick, tiny(n_trials=1))
    assert "Trial 0 of 1: learning_rate 0.001, n_layers 2, condition_dim 8" in caplog.messages
    assert f"Trial 1: mean energy_score {trials[1].curve[-1][1]:.4f}, " in caplog.text


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            ["a_from_b", "a_from_d"],
            r"tuning\.models names a_from_d: this family has a_from_b, a_from_c",
        ),
        ([], r"tuning\.models names no model"),
    ],
)
def test_unknown_models_are_refused_with_those_there_are(tasks, models, message):
    with pytest.raises(ValueError, match=message):
        select_tasks(tasks, models)


def test_chosen_models_are_tuned_alone_and_all_by_default(tasks):
    assert [task.name for task in select_tasks(tasks, ["a_from_c"])] == ["a_from_c"]
    assert select_tasks(tasks, None) == tasks
