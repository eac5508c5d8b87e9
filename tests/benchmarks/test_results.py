import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

import results
from tcga_coherent import __version__


def test_the_machine_is_described_with_versions_and_date() -> None:
    found = results.machine(torch.device("cpu"))
    assert found["device"]
    assert found["torch"] == torch.__version__
    assert found["tcga_coherent"] == __version__
    assert found["cuda"] is None
    pd.Timestamp(found["date"])


def test_a_table_is_written_in_markdown_with_four_digits() -> None:
    table = pd.DataFrame({"target": ["cna"], "n": [12345], "crps": [0.456789]})
    assert results.markdown_table(table).splitlines() == [
        "| target | n | crps |",
        "| --- | --- | --- |",
        "| cna | 12345 | 0.4568 |",
    ]


def test_results_go_to_the_projects_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results.write_table("a", pd.DataFrame({"x": [1.0]}))
    results.write_json("a", {"ratio": 2.0})
    results.write_figure("a", Figure())
    folder = tmp_path / "benchmarks" / "results"
    assert {path.name for path in folder.iterdir()} == {"a.csv", "a.json", "a.png"}
    assert json.loads((folder / "a.json").read_text()) == {"ratio": 2.0}
