import numpy as np
import pytest
from kedro.io.core import DatasetError
from safetensors.numpy import save

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
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["x.safetensors"]


def test_an_optional_checkpoint_is_empty_where_it_is_absent_or_of_other_inputs(tmp_path):
    dataset = CheckpointDataset(filepath=str(tmp_path / "x.safetensors"), optional=True)
    assert_same(dataset.load(), Checkpoint({}))
    dataset.save(CHECKPOINT)
    assert_same(dataset.load(), CHECKPOINT)
    dataset.outdated = True
    assert_same(dataset.load(), Checkpoint({}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (save({"w": np.zeros(2)}), "x.safetensors holds no description in its header"),
        (save({"w": np.zeros(2)}, {"json": "{"}), "x.safetensors is damaged"),
        (save({"w": np.zeros(2)}, {"json": "{}"})[:-3], "x.safetensors is damaged"),
        (b"", "x.safetensors is damaged"),
    ],
)
def test_what_is_no_whole_checkpoint_is_refused_by_name(tmp_path, content, message):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        CheckpointDataset(filepath=str(tmp_path / "x.safetensors")).load()


def test_a_damaged_training_state_is_set_aside_and_the_training_starts_anew(tmp_path, caplog):
    dataset = TrainingStateDataset(filepath=str(tmp_path / "state.safetensors"))
    dataset.save(Checkpoint(CHECKPOINT.arrays, {"finished": False}))
    content = (tmp_path / "state.safetensors").read_bytes()[:-9]
    (tmp_path / "state.safetensors").write_bytes(content)
    assert not dataset.exists()
    assert dataset.load() == Checkpoint({})
    assert "state.safetensors is damaged" in caplog.text
    assert (tmp_path / "state.safetensors.damaged").read_bytes() == content
    dataset.save(Checkpoint({}, {"finished": True}))
    assert dataset.exists()


def test_a_training_state_exists_only_when_the_training_is_finished(tmp_path):
    dataset = TrainingStateDataset(filepath=str(tmp_path / "state.safetensors"))
    assert dataset.load().arrays == {}
    dataset.save(Checkpoint(CHECKPOINT.arrays, {"finished": False}))
    assert not dataset.exists()
    assert_same(dataset.load(), Checkpoint(CHECKPOINT.arrays, {"finished": False}))
    dataset.save(Checkpoint({}, {"finished": True}))
    assert dataset.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["state.safetensors"]
