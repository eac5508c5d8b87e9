import dataclasses
import shutil

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.tasks import multi_tasks, single_tasks
from tcga_coherent.diffusion.training import StackTrainer, group_by_shape

CPU = torch.device("cpu")


def make_trainer(tasks, config):
    ((shape, group),) = group_by_shape(tasks, config).items()
    return StackTrainer(group, shape, config, CPU)


def finish(trainer):
    for _ in trainer.train():
        pass
    return {result.task.name: result for result in trainer.results()}


def assert_same_weights(first, second, tolerance=0.0):
    assert first.keys() == second.keys()
    for name in first:
        for key, array in first[name].weights.items():
            np.testing.assert_allclose(
                array, second[name].weights[key], rtol=tolerance, atol=tolerance, err_msg=key
            )


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(latents, split, quick):
    tasks = single_tasks(latents, split)[:2]
    first, second = (finish(make_trainer(tasks, quick)) for _ in range(2))
    assert_same_weights(first, second)
    other = finish(make_trainer(tasks, dataclasses.replace(quick, seed=1)))
    assert (
        first["a_from_b"].weights["output.weight"] != other["a_from_b"].weights["output.weight"]
    ).any()


def test_a_model_learns_the_same_alone_as_in_a_stack(latents, split, quick):
    tasks = single_tasks(latents, split)
    together = finish(make_trainer(tasks, quick))
    alone = finish(make_trainer(tasks[2:3], quick))
    assert_same_weights({tasks[2].name: together[tasks[2].name]}, alone, tolerance=1e-3)
    assert together[tasks[2].name].energy_score == pytest.approx(
        alone[tasks[2].name].energy_score, rel=1e-3
    )


def test_bfloat16_learns_nearly_the_same_weights_and_keeps_them_in_float32(latents, split, quick):
    tasks = single_tasks(latents, split)[:1]
    exact = finish(make_trainer(tasks, quick))["a_from_b"]
    coarse = finish(make_trainer(tasks, dataclasses.replace(quick, precision="bfloat16")))[
        "a_from_b"
    ]
    for name, weight in exact.weights.items():
        assert coarse.weights[name].dtype == weight.dtype
    assert (exact.weights["layers.0.weight"] != coarse.weights["layers.0.weight"]).any()
    assert coarse.energy_score == pytest.approx(exact.energy_score, rel=0.02)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_denoiser_learns_the_same(latents, split, quick):
    """Not to the same weights: biases before a normalisation have no gradient but rounding errors."""
    losses = []
    for compiled in (False, True):
        trainer = make_trainer(
            single_tasks(latents, split)[:2], dataclasses.replace(quick, compile=compiled)
        )
        finish(trainer)
        losses.append([(r.train_loss, r.energy_score) for r in trainer.history])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


@pytest.mark.parametrize("make_tasks", [single_tasks, multi_tasks])
def test_a_resumed_training_ends_like_an_uninterrupted_one(make_tasks, latents, split, quick):
    tasks = make_tasks(latents, split)[:2]
    uninterrupted = finish(make_trainer(tasks, quick))
    interrupted = make_trainer(tasks, quick)
    next(interrupted.train())
    arrays, metadata = interrupted.state()
    resumed = make_trainer(tasks, quick)
    resumed.load_state({name: array.copy() for name, array in arrays.items()}, metadata)
    assert resumed.step == quick.validation.every
    assert_same_weights(uninterrupted, finish(resumed), tolerance=1e-6)
    assert len(resumed.history) == 2 * 3


def test_training_learns_what_the_source_says_of_the_target(latents, split, quick):
    validation = dataclasses.replace(quick.validation, every=250)
    config = dataclasses.replace(quick, batch_size=128, max_steps=1000, validation=validation)
    trained = finish(make_trainer(single_tasks(latents, split), config))
    # Draws of a target that is independent of its source have an MSE of 2; a correlation of 0.81
    # leaves a variance of 0.34 and a draw of the exact conditional an MSE of 0.69.
    assert {n: r.mse for n, r in trained.items() if not 0.55 < r.mse < 1.4} == {}


def test_the_checkpoint_with_the_best_score_is_kept(latents, split, quick):
    trainer = make_trainer(single_tasks(latents, split)[:2], quick)
    for name, result in finish(trainer).items():
        scores = {r.step: r.energy_score for r in trainer.history if r.model == name}
        assert result.energy_score == pytest.approx(min(scores.values()))
        assert scores[result.step] == pytest.approx(min(scores.values()))


def test_the_papers_criterion_chooses_by_mse(latents, split, quick):
    validation = dataclasses.replace(quick.validation, criterion="mse")
    trainer = make_trainer(
        single_tasks(latents, split)[:2], dataclasses.replace(quick, validation=validation)
    )
    for name, result in finish(trainer).items():
        assert result.mse == pytest.approx(min(r.mse for r in trainer.history if r.model == name))


def test_training_stops_when_no_model_improves(latents, split, quick):
    validation = dataclasses.replace(quick.validation, every=1, patience=2)
    config = dataclasses.replace(
        quick, validation=validation, learning_rate=1e-12, max_steps=50, ema_decay=0.0
    )
    trainer = make_trainer(single_tasks(latents, split)[:1], config)
    finish(trainer)
    assert trainer.step < 50


def test_a_multi_model_ignores_the_values_of_absent_sources(latents, split, quick):
    tasks = multi_tasks(latents, split)[:1]
    garbled = dataclasses.replace(
        tasks[0],
        train=dataclasses.replace(
            tasks[0].train,
            conditions=tuple(
                np.where(tasks[0].train.mask[:, [i]], c, 7.0).astype(np.float32)
                for i, c in enumerate(tasks[0].train.conditions)
            ),
        ),
    )
    assert not tasks[0].train.mask.all()
    assert_same_weights(finish(make_trainer(tasks, quick)), finish(make_trainer([garbled], quick)))


def test_modalities_of_different_latent_size_train_in_stacks_of_their_own(latents, split, quick):
    latents["c"] = latents["c"].iloc[:, :2]
    groups = group_by_shape(single_tasks(latents, split), quick)
    assert {
        (shape.target_dim, *shape.condition_dims): len(group) for shape, group in groups.items()
    } == {(3, 3): 2, (3, 2): 2, (2, 3): 2}
