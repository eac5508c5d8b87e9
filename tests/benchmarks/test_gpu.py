from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import gpu
import sampling
import scaling
import training
from environment import Environment
from plain_training import PlainBudget


@pytest.fixture
def record(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The record of small budgets; scaling is measured elsewhere."""
    monkeypatch.setattr(gpu, "CPU_STEPS", 3)
    monkeypatch.setattr(training, "QUICK_BUDGET", PlainBudget(20, 10, 9, batch_size=32))
    monkeypatch.setattr(sampling, "FAST_SEEDS", (0,))
    monkeypatch.setattr(sampling, "PATIENTS_QUICK", 3)
    point = {"axis": "patients", "patients": 10, "draws": 2, "sources": 3, "latent_size": 6}
    measured = {**point, "steps": 5, "device": "cpu", "threads": 1}
    measured |= {"seconds": 1.5, "device_mb": 0.0, "working_mb": 20.0}
    monkeypatch.setattr(scaling, "run", lambda *_: pd.DataFrame([measured]))
    return gpu.run(environment)


def test_the_record_names_machine_budgets_and_all_benchmarks(record: dict[str, Any]) -> None:
    assert {"device", "torch", "cuda", "date", "tcga_coherent", "training_parameters"} <= set(
        record
    )
    assert record["sampling"]["targets"] == ["cna"]
    assert record["training"]["plain_budget"]["max_steps"] == 20
    families = {(row["family"], row["batch_size"]) for row in record["throughput"]}
    assert families == {("single", 32), ("single", 64), ("multi", 32), ("multi", 64)}


def test_the_record_is_json_and_a_page(record: dict[str, Any], tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    gpu.results.write_json("record", record)
    page = gpu.record_page(record)
    assert page.startswith(f"# {record['device']}, {record['date']}\n")
    assert "| patients | 10 | 2 | 3 | 6 | 5 | 1.5 | 20 |" in page
    assert "| training |" in page
    assert "| sampling |" in page


def test_whole_trainings_run_to_their_last_step(environment: Environment) -> None:
    table = gpu.train_whole(environment, replace(environment.training, max_steps=20))
    assert set(table["steps"]) == {20}
    assert table.groupby("family")["models"].sum().to_dict() == {"multi": 3, "single": 6}
    assert (table["minutes_of_validation"] < table["minutes"]).all()


def test_the_papers_budget_follows_from_the_speed(environment: Environment) -> None:
    table = gpu.measure_throughput(environment, environment.training, 3)
    single = table[table["family"] == "single"].iloc[0]
    # Of 110 training patients, each modality lacks ten of its own.
    steps = gpu.PAPER_EPOCHS * 90 / environment.training.batch_size
    expected = steps / single["steps_per_second"] / 60
    assert single["paper_budget_minutes"] == pytest.approx(expected)
