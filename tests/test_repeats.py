import os
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.repeats import all_repeats, identity_of, run_repeats, source_hash


def experiment(offset: int, repeat: int) -> pd.DataFrame:
    return pd.DataFrame({"value": [offset + repeat], "process": [os.getpid()]})


def broken_at_two(repeat: int) -> pd.DataFrame:
    if repeat == 2:
        raise RuntimeError("killed")
    return experiment(0, repeat)


def lazily(frames: dict[str, pd.DataFrame]):
    return {name: lambda frame=frame: frame for name, frame in frames.items()}


def run(function, stored=None, workers=1, repeats=range(4)) -> dict[str, pd.DataFrame]:
    found = {}
    for part in run_repeats(function, repeats, "id", lazily(stored or {}), workers, "test"):
        found |= part
    return found


def test_every_repeat_is_kept_and_all_come_together_at_last() -> None:
    found = run(partial(experiment, 10))
    assert set(found) == {"id/0", "id/1", "id/2", "id/3", "id/complete"}
    complete = all_repeats(lazily(found), "test")
    assert complete[["repeat", "value"]].to_numpy().tolist() == [[0, 10], [1, 11], [2, 12], [3, 13]]


def test_processes_give_what_one_gives() -> None:
    one, two = (run(partial(experiment, 10), workers=n)["id/complete"] for n in (1, 2))
    pd.testing.assert_series_equal(one["value"], two["value"])
    assert (one["process"] == os.getpid()).all()
    assert (two["process"] != os.getpid()).all()


def test_what_was_done_before_a_failure_is_not_done_again() -> None:
    running = run_repeats(broken_at_two, range(4), "id", {}, 1, "test")
    stored = next(running) | next(running)
    with pytest.raises(RuntimeError, match="killed"):
        next(running)
    assert set(stored) == {"id/0", "id/1"}
    with pytest.raises(ValueError, match="repeats of test are not finished"):
        all_repeats(lazily(stored), "test")
    stored["id/0"]["value"] = 99
    complete = run(partial(experiment, 10), stored)["id/complete"]
    assert list(complete["value"]) == [99, 1, 12, 13]


def test_results_of_other_data_are_not_used() -> None:
    stored = {"other/0": experiment(99, 0), "other/complete": experiment(99, 0)}
    assert list(run(partial(experiment, 10), stored)["id/complete"]["value"]) == [10, 11, 12, 13]


@dataclass(frozen=True)
class Parameters:
    values: dict[str, np.ndarray]


@pytest.mark.parametrize(
    "other",
    [
        Parameters({"a": np.array([1.0, 3.0])}),
        Parameters({"b": np.array([1.0, 2.0])}),
        {"a": np.array([1.0, 2.0])},
        Parameters({"a": np.array([1.0, 2.0], dtype=np.float32)}),
    ],
)
def test_an_identity_tells_different_inputs_apart(other) -> None:
    parameters = Parameters({"a": np.array([1.0, 2.0])})
    assert identity_of(parameters, 1) == identity_of(Parameters({"a": np.array([1.0, 2.0])}), 1)
    assert identity_of(parameters, 1) != identity_of(other, 1)


def test_an_identity_reads_frames_with_their_labels() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=["x", "y"])
    others = [frame.rename(columns={"a": "b"}), frame.rename(index={"x": "z"}), frame * 2]
    assert len({identity_of(f) for f in (frame, *others)}) == 4
    assert identity_of(frame) == identity_of(frame.copy())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((["a", ["b"]], "c"), (["a", ["b"], "c"],)),
        (({"a": ["b"]}, "c"), ({"a": ["b", "c"]},)),
        (({"a": 1}, "b", 2), ({"a": 1, "b": 2},)),
        ((1, 2), (12,)),
    ],
)
def test_an_identity_knows_where_each_part_ends(one, other) -> None:
    assert identity_of(*one) != identity_of(*other)


def test_an_identity_is_of_the_code_that_computes_and_not_of_what_draws(tmp_path: Path) -> None:
    def made(name: str, **code: str) -> str:
        package = tmp_path / name
        for folder in ("evaluation", "privacy"):
            (package / folder).mkdir(parents=True)
        for module, text in code.items():
            (package / "evaluation" / f"{module}.py").write_text(text)
        return source_hash(package)

    first = made("first", rescue="a = 1", rescue_figure="b = 1")
    assert made("same", rescue="a = 1", rescue_figure="b = 1") == first
    assert made("drawn", rescue="a = 1", rescue_figure="b = 2") == first
    assert made("changed", rescue="a = 2", rescue_figure="b = 1") != first
    assert made("renamed", rescues="a = 1", rescue_figure="b = 1") != first


@pytest.mark.parametrize(
    "place", ["modality.py", "pipelines/evaluation/rescue.py", "new/deep/x.py"]
)
def test_an_identity_is_of_the_code_wherever_it_lies(tmp_path: Path, place: str) -> None:
    def made(name: str, text: str) -> str:
        file = tmp_path / name / place
        file.parent.mkdir(parents=True)
        file.write_text(text)
        return source_hash(tmp_path / name)

    assert made("first", "a = 1") != made("second", "a = 2")


def test_another_version_of_a_library_makes_other_repeats(monkeypatch) -> None:
    before = identity_of("rescue", 1)
    known = {"torch": "0.0.1"}
    monkeypatch.setattr(
        "tcga_coherent.repeats.version", lambda name: known.get(name, version(name))
    )
    assert identity_of("rescue", 1) != before


def test_a_change_of_the_code_makes_other_repeats(monkeypatch, tmp_path: Path) -> None:
    before = identity_of("rescue", 1)
    assert identity_of("rescue", 1) == before
    monkeypatch.setattr("tcga_coherent.__file__", str(tmp_path / "__init__.py"))
    assert identity_of("rescue", 1) != before


def test_a_number_that_is_none_of_processes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"compute\.workers must be -1"):
        run(partial(experiment, 10), workers=0)


def smallest_number(repeat: int) -> pd.DataFrame:
    tiny = np.array([1e-40], np.float32) * np.float32(1.0)
    return pd.DataFrame({"value": tiny.astype(float)})


@pytest.mark.parametrize("flush", [True, False])
def test_workers_round_denormal_numbers_as_the_process_that_starts_them_does(flush) -> None:
    torch.set_flush_denormal(flush)
    try:
        alone, beside = (
            run(smallest_number, workers=workers, repeats=range(2))["id/complete"]
            for workers in (1, 2)
        )
    finally:
        torch.set_flush_denormal(False)
    assert (alone["value"] == 0).all() == (beside["value"] == 0).all() == flush
