import dataclasses
import math
import shutil

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape

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


def masks_of(tasks, config, monkeypatch) -> torch.Tensor:
    """Return which sources of which rows each model saw in training, models x sources x all rows."""
    trainer = make_trainer(tasks, config)
    seen, project = [], trainer.denoiser.project
    monkeypatch.setattr(
        trainer.denoiser, "project", lambda c, mask: (seen.append(mask), project(c, mask))[1]
    )
    for _ in range(100):
        trainer._train_step()
        trainer.step += 1
    return torch.cat(seen, dim=2).float()


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c"]])
@pytest.mark.parametrize("probability", [0.0, 0.2])
def test_multi_models_learn_without_each_source_as_often_as_is_wanted_down_to_none(
    names, probability, latents, split, quick, monkeypatch
):
    everybody = latents["a"].index.intersection(latents["b"].index)
    everybody = everybody.intersection(latents["c"].index)
    whole = {name: latents[name].loc[everybody] for name in names}
    config = dataclasses.replace(quick, mask_probability=probability)
    masks = masks_of(multi_tasks(whole, split), config, monkeypatch)
    # 100 steps of 32 rows: five standard deviations of the share are .035 at most.
    assert (1 - masks).mean(dim=2).numpy() == pytest.approx(probability, abs=0.036)
    nothing = (masks.sum(dim=1) == 0).float().mean(dim=1).numpy()
    assert nothing == pytest.approx(probability ** (len(names) - 1), abs=0.036)
    assert (nothing > 0).all() == (probability > 0)


def test_single_models_always_have_their_source(latents, split, quick, monkeypatch):
    assert (masks_of(single_tasks(latents, split), quick, monkeypatch) == 1).all()


def test_the_average_of_the_weights_starts_short_and_grows_to_its_decay(latents, split, quick):
    trainer = make_trainer(single_tasks(latents, split), dataclasses.replace(quick, ema_decay=0.5))

    def weights(network):
        return torch.cat([value.detach().flatten() for value in network.state_dict().values()])

    expected = weights(trainer.denoiser).double()
    for step in range(12):
        trainer._train_step()
        trainer.step += 1
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weights(trainer.denoiser)
        torch.testing.assert_close(
            weights(trainer.average).double(), expected, atol=1e-5, rtol=1e-4
        )
    assert decay == 0.5


@pytest.mark.parametrize("prediction", ["velocity", "noise"])
def test_a_training_that_diverges_is_stopped_with_the_models_name(
    latents, split, quick, prediction
):
    wild = dataclasses.replace(quick, learning_rate=1e30, prediction=prediction)
    trainer = make_trainer(single_tasks(latents, split)[:2], wild)
    next(trainer.train())
    message = (
        r"The training of a_from_b, a_from_c has diverged by step 20: .* Lower diffusion_training"
    )
    with pytest.raises(ValueError, match=message):
        trainer.check_finite()


def test_models_that_never_had_a_finite_score_are_no_result(latents, split, quick):
    trainer = make_trainer(single_tasks(latents, split)[:2], quick)
    for _ in trainer.train():
        pass
    trainer._best_steps[1] = 0
    with pytest.raises(ValueError, match="The training of a_from_c has diverged by step 60"):
        trainer.results()


def test_finite_draws_far_from_all_data_are_no_result(latents, split, quick):
    trainer = make_trainer(single_tasks(latents, split)[:2], quick)
    for _ in trainer.train():
        trainer.check_finite()
    # Latents have a variance of 1: draws that know nothing err by 2, and these by 40.
    trainer._best_scores[0, 1] = 80.0
    trainer.results()
    trainer._best_scores[0, 1] = 800.0
    with pytest.raises(ValueError, match=r"a_from_b has diverged by step 60: .* far from all data"):
        trainer.results()


def test_a_model_may_diverge_after_its_checkpoint_was_chosen(latents, split, quick):
    validation = dataclasses.replace(quick.validation, patience=1)
    config = dataclasses.replace(quick, validation=validation)
    trainer = make_trainer(single_tasks(latents, split)[:2], config)
    next(trainer.train())
    trainer.history[-1] = dataclasses.replace(trainer.history[-1], train_loss=math.nan)
    trainer._waits[1] = 1
    trainer.check_finite()
    trainer._waits[1] = 0
    with pytest.raises(ValueError, match="The training of a_from_c has diverged"):
        trainer.check_finite()


def test_a_batch_that_memory_does_not_hold_names_the_batch_size(latents, split, quick):
    huge = dataclasses.replace(quick, batch_size=2**44)
    trainer = make_trainer(single_tasks(latents, split)[:1], huge)
    with pytest.raises(MemoryError, match=r"lower diffusion_training\.batch_size"):
        next(trainer.train())
