import math
import sys
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.figure import Figure

import training
from environment import Environment
from fast_training import FastRun
from plain_training import PlainBudget, PlainRun

BUDGET = PlainBudget(max_steps=30, every=10, patience=9, batch_size=32)


@pytest.fixture
def brief(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(training, "BUDGET", BUDGET)
    monkeypatch.setattr(training, "QUICK_BUDGET", BUDGET)
    monkeypatch.setattr("fast_training.STEPS_BETWEEN_VALIDATIONS", 10)
    return replace(environment, training=replace(environment.training, max_steps=60))


def test_the_ratio_is_that_of_the_times_in_the_table(brief: Environment) -> None:
    found = training.run(brief, quick=False)
    models = found["models"]
    assert len(models) == 6
    assert found["plain_seconds"] == pytest.approx(models["plain_seconds_to_best"].sum())
    if math.isfinite(found["fast_seconds"]):
        assert found["ratio"] == pytest.approx(found["plain_seconds"] / found["fast_seconds"])
    assert set(found["quality"]["version"]) == {"plain", "fast", "fast, whole training"}
    assert set(found["quality"]["target"]) == set(brief.latents)
    assert isinstance(found["figure"], Figure)


def test_a_quick_run_says_what_it_leaves_out_and_writes_nothing(
    brief: Environment,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "open_environment", lambda env, device: brief)
    monkeypatch.setattr(sys, "argv", ["training.py", "--env", "small", "--quick"])
    training.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Quick: the 2 models of cna only, plain loop of at most 30 steps")
    assert lines[-1].startswith("ratio=")
    assert lines[-1].count("=") == 7
    assert list(tmp_path.iterdir()) == []


def test_a_whole_run_writes_tables_figure_and_machine(
    brief: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    training.save(brief, training.run(brief, quick=True))
    written = {path.name for path in (tmp_path / "benchmarks" / "results").iterdir()}
    assert written == {
        "training_small.json",
        "training_small.png",
        "training_small_models.csv",
        "training_small_quality.csv",
    }


def test_a_model_that_never_gets_there_makes_the_ratio_no_number(
    brief: Environment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = training.train_all_plain

    def unbeatable(*arguments) -> dict[str, PlainRun]:
        return {name: replace(run, best_score=0.0) for name, run in trained(*arguments).items()}

    monkeypatch.setattr(training, "train_all_plain", unbeatable)
    found = training.run(brief, quick=True)
    assert math.isnan(found["ratio"])
    printed = capsys.readouterr().out
    assert "The engine never reached the plain loop's best score of cna_from_rnaseq: " in printed
    assert "Goal: a ratio of 10, missed." in printed


def test_each_model_has_the_times_at_which_the_engine_got_there_and_nearly_there() -> None:
    curve = pd.DataFrame(
        {
            "model": ["a", "a", "b", "b"],
            "stack": 0,
            "step": [50, 100, 50, 100],
            "seconds": [3.5, 7.0, 3.5, 7.0],
            "score": [3.0, 1.0, 2.003, 2.004],
        }
    )
    plain = {name: PlainRun(None, 2.0, 50.0, []) for name in ("a", "b")}
    table = training.compare(plain, FastRun(curve, [], [])).set_index("model")
    assert table["fast_stack_seconds_to_plain_best"].to_dict() == {"a": 7.0, "b": math.inf}
    assert table["fast_stack_seconds_within_tolerance"].to_dict() == {"a": 7.0, "b": 3.5}
    assert table["fast_best_score"].tolist() == [1.0, 2.003]
