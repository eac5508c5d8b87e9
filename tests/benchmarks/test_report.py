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
