import numpy as np
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.checkpoint import Checkpoint, CheckpointDataset
from tcga_coherent.datasets.training_state import TrainingStateDataset

CHECKPOINT = Checkpoint(
    {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "n": np.array([1, 2])}, {"name": "ä"}
)


def assert_same(first, second):
    assert first.metadata == second.metadata
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])


def test_a_checkpoint_comes_back_with_its_description(tmp_path):
    dataset = CheckpointDataset(filepath=str(tmp_path / "models" / "x.safetensors"))
    assert not dataset.exists()
    dataset.save(CHECKPOINT)
    assert dataset.exists()
    assert_same(dataset.load(), CHECKPOINT)
    assert sorted(p.name for p in (tmp_path / "models").iterdir()) == ["x.json", "x.safetensors"]


def test_weights_without_their_description_are_refused(tmp_path):
    dataset = CheckpointDataset(filepath=str(tmp_path / "x.safetensors"))
    dataset.save(CHECKPOINT)
    (tmp_path / "x.json").unlink()
    with pytest.raises(DatasetError, match=r"has no description x\.json beside it"):
        dataset.load()


def test_a_training_state_exists_only_when_the_training_is_finished(tmp_path):
    dataset = TrainingStateDataset(filepath=str(tmp_path / "state.safetensors"))
    assert dataset.load().arrays == {}
    dataset.save(Checkpoint(CHECKPOINT.arrays, {"finished": False}))
    assert not dataset.exists()
    assert_same(dataset.load(), Checkpoint(CHECKPOINT.arrays, {"finished": False}))
    dataset.save(Checkpoint({}, {"finished": True}))
    assert dataset.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["state.safetensors"]
