from pathlib import Path

import pandas as pd

from tcga_coherent.datasets.repeats import RepeatsDataset

FRAME = pd.DataFrame({"value": [1.5]})


def test_repeats_add_up_and_exist_when_they_are_complete(tmp_path: Path) -> None:
    dataset = RepeatsDataset(path=str(tmp_path / "rescue"))
    assert dataset.load() == {}
    dataset.save({"a/0": FRAME})
    dataset.save({"a/1": 2 * FRAME})
    assert not dataset.exists()
    assert set(dataset.load()) == {"a/0", "a/1"}
    pd.testing.assert_frame_equal(dataset.load()["a/1"](), 2 * FRAME)
    dataset.save({"a/complete": FRAME})
    assert dataset.exists()


def test_repeats_of_other_data_give_way(tmp_path: Path) -> None:
    dataset = RepeatsDataset(path=str(tmp_path / "rescue"))
    dataset.save({"a/0": FRAME})
    dataset.save({"a/complete": FRAME})
    dataset.save({"b/0": FRAME})
    assert set(dataset.load()) == {"b/0"}
    assert not dataset.exists()
