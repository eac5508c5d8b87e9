import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.denoiser import StackedDenoiser
from tcga_coherent.diffusion.linear_gaussian import fit_linear_gaussian
from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks
from tcga_coherent.diffusion.training.trainer import (
    TrainedDenoiser,
    group_by_shape,
    with_whole_conditions,
)


def test_pair_tasks_use_the_patients_that_have_both(latents, split):
    tasks = {task.name: task for task in single_tasks(latents, split)}
    assert sorted(tasks) == ["a_from_b", "a_from_c", "b_from_a", "b_from_c", "c_from_a", "c_from_b"]
    task = tasks["a_from_b"]
    both = latents["a"].index.intersection(latents["b"].index)
    train = both[split[both] == "train"]
    np.testing.assert_array_equal(task.train.target, latents["a"].loc[train])
    np.testing.assert_array_equal(task.train.conditions[0], latents["b"].loc[train])
    assert task.train.mask.all()
    assert len(task.validation.target) == 25


def test_masks_of_multi_tasks_are_aligned_with_their_rows(latents, split):
    task = next(t for t in multi_tasks(latents, split) if t.target == "b")
    train = latents["b"].index[split[latents["b"].index] == "train"]
    assert task.sources == ("a", "c")
    assert len(task.train.target) == len(train)
    for i, source in enumerate(task.sources):
        has = train.isin(latents[source].index)
        np.testing.assert_array_equal(task.train.mask[:, i], has)
        np.testing.assert_array_equal(
            task.train.conditions[i][has], latents[source].loc[train[has]]
        )
        assert (task.train.conditions[i][~has] == 0).all()
    # Each validation patient stands once with all sources and once with each alone.
    assert len(task.validation.target) == 25 * 3
    np.testing.assert_array_equal(task.validation.mask[25:50], np.tile([True, False], (25, 1)))


def test_modalities_that_share_no_patient_are_named(latents, split):
    latents["c"] = latents["c"].iloc[:0]
    with pytest.raises(ValueError, match="Denoiser a_from_c: 0 patients of the train split have a"):
        single_tasks(latents, split)


@pytest.fixture
def conditions(latents) -> dict[str, pd.DataFrame]:
    """Latents, and a code of five columns that depends on them and on noise."""
    random = np.random.default_rng(3)
    found = {}
    for name, frame in latents.items():
        code = frame.to_numpy() @ random.standard_normal((frame.shape[1], 5))
        code += 0.5 * random.standard_normal(code.shape)
        columns = [f"c{i:03d}" for i in range(5)]
        found[name] = pd.concat(
            [frame, pd.DataFrame(code.astype(np.float32), frame.index, columns)], axis=1
        )
    return found


def test_a_prediction_of_the_target_stands_beside_the_latents(latents, split, conditions) -> None:
    tasks = {task.name: task for task in single_tasks(latents, split, None, conditions)}
    task, size = tasks["a_from_b"], latents["b"].shape[1]
    both = latents["a"].index.intersection(latents["b"].index)
    train, val = (both[split[both] == part] for part in ("train", "val"))
    code = {"b": conditions["b"].iloc[:, size:]}
    expert, left_out = fit_linear_gaussian(
        "a", latents["a"].loc[train].to_numpy(), {"b": code["b"].loc[train].to_numpy()}
    )
    told = task.train.conditions[0]
    np.testing.assert_array_equal(told[:, :size], latents["b"].loc[train])
    # A training patient's is made without the patient.
    np.testing.assert_allclose(told[:, size:], left_out, atol=1e-5)
    assert np.abs(told[:, size:] - expert.mean({"b": code["b"].loc[train].to_numpy()})).max() > 1e-3
    np.testing.assert_allclose(
        task.validation.conditions[0][:, size:],
        expert.mean({"b": code["b"].loc[val].to_numpy()}),
        atol=1e-5,
    )


def test_predictions_of_permuted_targets_tell_nothing(latents, split, conditions) -> None:
    """Of what was fitted with the patient, the patient's own target could be read."""
    random = np.random.default_rng(0)
    noise = {name: frame.copy() for name, frame in latents.items()}
    noise["a"][:] = noise["a"].to_numpy()[random.permutation(len(noise["a"]))]
    task = next(t for t in single_tasks(noise, split, ["a"], conditions) if t.name == "a_from_b")
    size = latents["b"].shape[1]
    predicted = task.train.conditions[0][:, size:]
    related = np.mean((predicted - predicted.mean(axis=0)) * task.train.target)
    assert related < 0.01


def test_whole_conditions_are_the_same_function_of_latents_and_code(
    latents, split, conditions
) -> None:
    for make in (single_tasks, multi_tasks):
        task = make(latents, split, ["a"], conditions)[0]
        ((shape, _),) = group_by_shape([task], TrainingConfig()).items()
        torch.manual_seed(0)
        network = StackedDenoiser(1, shape).eval()
        weights = {k: v.numpy().copy() for k, v in network.state_dict().items()}
        whole = with_whole_conditions(TrainedDenoiser(task, shape, weights, 1.0, 1.0, 1))
        wide = StackedDenoiser(1, whole.shape).eval()
        wide.load_state_dict({k: torch.from_numpy(v) for k, v in whole.weights.items()})
        everybody = (
            latents["a"].index.intersection(latents["b"].index).intersection(latents["c"].index)
        )
        val = everybody[split[everybody] == "val"]
        given = [
            torch.from_numpy(conditions[source].loc[val].to_numpy(np.float32)).T[None]
            for source in task.sources
        ]
        rows = len(val)
        told = [torch.from_numpy(c[:rows]).T[None] for c in task.validation.conditions]
        mask = torch.ones(1, len(task.sources), rows, dtype=torch.bool)
        noisy, at = torch.randn(1, shape.target_dim, rows), torch.full((1, rows), 300)
        with torch.no_grad():
            expected = network(noisy, at, network.project(told, mask))
            found = wide(noisy, at, wide.project(given, mask))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_too_few_patients_for_a_prediction_leave_latents_alone(
    latents, split, conditions, caplog
) -> None:
    few = split.copy()
    both = latents["a"].index.intersection(latents["b"].index)
    train = both[few[both] == "train"]
    few[few == "train"] = "unused"
    few[train[:8]] = "train"
    pair = {name: latents[name] for name in ("a", "b")}
    (task,) = single_tasks(pair, few, ["a"], conditions)
    assert task.predictors == (None,)
    assert task.train.conditions[0].shape[1] == latents["b"].shape[1]
    assert "from the latents of b alone" in caplog.text
