import numpy as np
import pytest

from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks


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
