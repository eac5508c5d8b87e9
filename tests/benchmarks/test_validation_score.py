from dataclasses import replace

import pytest

from environment import Environment
from plain_denoiser import plain_from_stack
from tcga_coherent.diffusion.denoiser import StackedDenoiser
from tcga_coherent.diffusion.training.tasks import single_tasks
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape
from validation_score import ValidationScore, with_precise_scores


def test_a_plain_model_gets_the_scores_that_the_engine_gives_its_weights(
    environment: Environment,
) -> None:
    config = replace(environment.training, prediction="noise", max_steps=10)
    tasks = single_tasks(environment.latents, environment.split)
    shape, group = next(iter(group_by_shape(tasks[:1], config).items()))
    trainer = StackTrainer(group, shape, config, environment.device)
    list(trainer.train())
    average = StackedDenoiser(1, shape)
    average.load_state_dict(trainer.average.state_dict())
    score = ValidationScore(group[0], config, environment.device)
    plain = plain_from_stack(average)
    assert score(plain) == pytest.approx(trainer.history[-1].energy_score, rel=1e-4)
    assert score.mse(plain) == pytest.approx(trainer.history[-1].mse, rel=1e-4)


def test_precise_scores_differ_in_their_draws_alone(environment: Environment) -> None:
    precise = with_precise_scores(environment.training)
    assert precise.validation.n_draws == 32
    fewer = replace(precise.validation, n_draws=environment.training.validation.n_draws)
    assert replace(precise, validation=fewer) == environment.training
