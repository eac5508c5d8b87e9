import sys
from dataclasses import replace

import pytest
import torch

import sampling
from environment import Environment, trained_models

TARGETS = ["cna", "rppa"]


@pytest.fixture
def brief(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(sampling, "FAST_SEEDS", (0, 1))
    return environment


def test_the_ratio_is_that_of_the_summed_times_of_the_targets(brief: Environment) -> None:
    found = sampling.run(brief, TARGETS, 5, plain_seeds=1)
    table = found["table"]
    assert table.groupby(["version", "target"]).size().to_dict() == {
        ("fast", "cna"): 2,
        ("fast", "rppa"): 2,
        ("plain", "cna"): 1,
        ("plain", "rppa"): 1,
    }
    plain = table.loc[table["version"] == "plain", "seconds"].sum()
    fast = table.loc[table["version"] == "fast", "seconds"].sum() / 2
    assert found["ratio"] == pytest.approx(plain / fast)
    assert found["n_patients"] == 5


def test_the_plain_loop_has_the_consensus_weights_of_every_timestep(
    environment: Environment,
) -> None:
    models = trained_models(environment)
    config = sampling.raw_draws(environment.sampling)
    plain = sampling.plain_ensemble(models, "cna", environment.sources("cna"), config)
    assert plain.weights.shape == (1000, 2)
    torch.testing.assert_close(plain.weights.sum(dim=1) + plain.expert_weights, torch.ones(1000))
    assert list(plain.denoisers) == ["rnaseq", "rppa"]


def test_a_trained_expert_is_refused(environment: Environment) -> None:
    config = replace(environment.sampling, weights="composed_trained")
    with pytest.raises(SystemExit, match=r"set coherent_sampling\.weights to composed, learned"):
        sampling.plain_ensemble(
            trained_models(environment), "cna", environment.sources("cna"), config
        )


def test_patients_are_of_the_test_split_and_the_same_in_every_run(
    environment: Environment,
) -> None:
    chosen = sampling.some_patients(environment, 7)
    assert len(set(chosen)) == 7
    assert set(chosen) <= set(environment.patients("test"))
    assert chosen.equals(sampling.some_patients(environment, 7))
    assert sampling.some_patients(environment, 7, "val").isin(environment.patients("val")).all()
    assert len(sampling.some_patients(environment, 10_000)) == len(environment.patients("test"))


def test_steps_are_measured_beside_all_timesteps(
    brief: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "STEPS", (4, 8))
    monkeypatch.setattr(sampling, "VARIANTS", (("dpm_solver", 1.0), ("ddim", 0.0)))
    table = sampling.run_steps(brief, TARGETS, 5)
    runs = table.groupby(["sampler", "eta", "n_steps"])["seed"].nunique()
    assert runs.to_dict() == {
        ("ddim", 0.0, 4): 2,
        ("ddim", 0.0, 8): 2,
        ("ddpm", brief.sampling.eta, 1000): 2,
        ("dpm_solver", 1.0, 4): 2,
        ("dpm_solver", 1.0, 8): 2,
    }


def test_a_quick_run_ends_with_the_line_and_writes_nothing(
    brief: Environment,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sampling, "open_environment", lambda env, device: brief)
    monkeypatch.setattr(sys, "argv", ["sampling.py", "--env", "small", "--quick"])
    sampling.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Quick: cna only, 80 patients."
    assert lines[-1].startswith("ratio=")
    assert lines[-1].count("=") == 7
    assert list(tmp_path.iterdir()) == []


def test_results_are_written_beside_each_other(
    brief: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    sampling.save(brief, sampling.run(brief, ["cna"], 3, plain_seeds=1))
    written = {path.name for path in (tmp_path / "benchmarks" / "results").iterdir()}
    assert written == {"sampling_small.csv", "sampling_small.json"}
