import json

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.checkpoints import describe_denoiser, load_denoiser, stack_networks
from tcga_coherent.diffusion.training.tasks import single_tasks
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape

CPU = torch.device("cpu")
PRINTS = {"a": "1", "b": "2", "c": "3"}


@pytest.fixture
def trained(latents, split, quick):
    ((shape, group),) = group_by_shape(single_tasks(latents, split), quick).items()
    trainer = StackTrainer(group, shape, quick, CPU)
    next(trainer.train())
    return trainer


def test_a_stored_denoiser_predicts_what_the_trained_one_did(trained, quick):
    results = trained.results()
    descriptions = [
        json.loads(json.dumps(describe_denoiser(r, quick, PRINTS, PRINTS))) for r in results
    ]
    loaded = [
        load_denoiser(r.weights, d, "latents", PRINTS, CPU)
        for r, d in zip(results, descriptions, strict=True)
    ]
    stacked = stack_networks([d.network for d in loaded])
    noisy, condition = torch.randn(6, 3, 5), torch.randn(6, 3, 5)
    timesteps, mask = torch.randint(0, 1000, (6, 5)), torch.ones(6, 1, 5, dtype=torch.bool)
    trained.average.load_state_dict(trained.best)
    expected = trained.average(noisy, timesteps, trained.average.project([condition], mask))
    got = stacked(noisy, timesteps, stacked.project([condition], mask))
    torch.testing.assert_close(got, expected)
    assert [d.name for d in loaded] == [t.name for t in trained.tasks]
    assert loaded[0].mse == results[0].mse


def test_a_checkpoint_of_other_latents_is_refused_by_name(trained, quick):
    result = trained.results()[0]
    description = describe_denoiser(result, quick, PRINTS, PRINTS)
    with pytest.raises(
        ValueError, match="Denoiser a_from_b was trained on other latents of b than those at hand"
    ):
        load_denoiser(result.weights, description, "latents", {**PRINTS, "b": "other"}, CPU)
    with pytest.raises(ValueError, match="trained on other encoders of a, b than"):
        load_denoiser(result.weights, description, "encoders", {}, CPU)


def test_a_checkpoint_holds_no_training_row(trained, latents):
    weights = np.concatenate([w.ravel() for w in trained.results()[0].weights.values()])
    row = latents["a"].iloc[0].to_numpy()
    windows = np.lib.stride_tricks.sliding_window_view(weights, len(row))
    assert not np.isclose(windows, row).all(axis=1).any()
