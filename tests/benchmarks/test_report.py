import json
from pathlib import Path

import pandas as pd
import pytest

import report
import results
import sampling
from environment import Environment


def test_the_page_holds_the_results_that_are_committed(repo_root: Path) -> None:
    page = (repo_root / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    _, heading, section = page.partition(report.HEADING)
    assert heading
    rendered = report.render(repo_root / "benchmarks" / "results")
    assert section.strip() == rendered, "run python benchmarks/report.py"


def test_no_results_are_said_to_be_none(tmp_path: Path) -> None:
    assert report.render(tmp_path) == "None yet."


def test_results_replace_those_of_the_page(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sampling, "FAST_SEEDS", (0,))
    sampling.save(environment, sampling.run(environment, ["cna"], 3, plain_seeds=1))
    page = tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    page.write_text("# Benchmarks\n\n## Results\n\nold\n")
    report.main()
    written = page.read_text()
    ratio = pd.read_json(results.FOLDER / "sampling_small.json", typ="series")["ratio"]
    assert written.startswith("# Benchmarks\n\n## Results\n\n### Sampling, environment small\n")
    assert f"Ratio **{ratio:.1f}**" in written
    assert "old" not in written


def test_a_page_without_the_heading_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "benchmarks.md").write_text("# Benchmarks\n")
    with pytest.raises(SystemExit, match=r"has no line '## Results', under which the results go"):
        report.main()


def test_every_kind_of_result_has_a_section(tmp_path: Path) -> None:
    machine = {"device": "a card", "cuda": "13.0", "torch": "2", "tcga_coherent": "1"}
    machine |= {
        "date": "2026-01-02",
        "ratio": 12.0,
        "ratio_to_best": 13.0,
        "plain_seconds": 24.0,
        "fast_seconds": 2.0,
    }
    for name in ("training_demo", "steps_demo", "scaling_cuda"):
        (tmp_path / f"{name}.json").write_text(json.dumps(machine))
    scores = {"r2_of_mean": [0.3], "crps": [0.4], "coverage_90": [0.9]}
    pd.DataFrame({"model": ["a_from_b"]}).to_csv(tmp_path / "training_demo_models.csv", index=False)
    pd.DataFrame({"version": ["plain"], **scores}).to_csv(
        tmp_path / "training_demo_quality.csv", index=False
    )
    runs = {"sampler": ["ddim"], "eta": [0.0], "n_steps": [10], "seed": [0], "seconds": [1.5]}
    pd.DataFrame({**runs, **scores}).to_csv(tmp_path / "steps_demo.csv", index=False)
    pd.DataFrame({"patients": [10], "device": ["cuda"], "threads": [1], "device_mb": [3.0]}).to_csv(
        tmp_path / "scaling_cuda.csv", index=False
    )
    page = report.render(tmp_path)
    assert [line for line in page.splitlines() if line.startswith("###")] == [
        "### Training, environment demo",
        "### Steps, environment demo",
        "### Scaling of sampling, cuda",
    ]
    assert "a card, CUDA 13.0, torch 2, tcga_coherent 1, 2026-01-02." in page
    assert "| ddim | 0 | 10 | 0.3 | 0.4 | 0.9 | 1.5 |" in page
    assert "| patients | device_mb |" in page
