from pathlib import Path

import pandas as pd
import pytest

from tcga_coherent.datasets.repeats import RepeatsDataset
from tcga_coherent.repeats import all_repeats, run_repeats

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


def test_repeats_that_are_added_take_away_what_was_complete(tmp_path: Path) -> None:
    dataset = RepeatsDataset(path=str(tmp_path / "rescue"))
    for part in ({"a/0": FRAME}, {"a/complete": FRAME}, {"a/1": FRAME}):
        dataset.save(part)
    assert set(dataset.load()) == {"a/0", "a/1"}
    assert not dataset.exists()


def stopped(repeat: int) -> pd.DataFrame:
    raise KeyboardInterrupt


def repeated(repeat: int) -> pd.DataFrame:
    return pd.DataFrame({"value": [repeat]})


@pytest.mark.parametrize("identity", ["a", "b"])
def test_more_repeats_than_before_are_not_complete_when_they_are_interrupted(
    tmp_path: Path, identity: str
) -> None:
    dataset = RepeatsDataset(path=str(tmp_path / "rescue"))
    for part in run_repeats(repeated, range(2), "a", dataset.load(), 1, "test"):
        dataset.save(part)
    assert dataset.exists()
    interrupted = run_repeats(stopped, range(4), identity, dataset.load(), 1, "test")
    dataset.save(next(interrupted))
    with pytest.raises(KeyboardInterrupt):
        next(interrupted)
    assert not dataset.exists()
    with pytest.raises(ValueError, match="repeats of test are not finished"):
        all_repeats(dataset.load(), "test")
    for part in run_repeats(repeated, range(4), "a", dataset.load(), 1, "test"):
        dataset.save(part)
    assert list(all_repeats(dataset.load(), "test")["repeat"]) == [0, 1, 2, 3]
