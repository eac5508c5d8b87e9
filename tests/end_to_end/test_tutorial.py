"""What a user does with new patients, on the command line and in a notebook, as the pages say."""

import re
import shlex
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from tests.end_to_end.projects import Project
from tests.end_to_end.raw_files import read_raw_samples


@pytest.fixture(scope="module")
def project(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo with a bundle, by the first commands of the tutorial."""
    layers = ("01_raw", "03_primary", "05_model_input", "06_models")
    made = demo.clone(
        tmp_path_factory.mktemp("tutorial") / "demo", *(f"{layer}/demo" for layer in layers)
    )
    made.command("--pipelines", "bundle")
    return made


@pytest.fixture(scope="module")
def patients(project: Project) -> list[str]:
    split = pd.read_parquet(project.path("05_model_input", "split.parquet"))["split"]
    return sorted(split.index[split == "test"])[:3]


def test_the_commands_of_the_tutorial_complete_three_patients(
    project: Project, patients: list[str], repo_root: Path, tmp_path: Path
) -> None:
    text = (repo_root / "docs/tutorials/new_patients.md").read_text(encoding="utf-8")
    commands = re.findall(r"^kedro run --env demo (.*?)$", text.replace("\\\n", ""), re.MULTILINE)
    assert commands[0] == "--pipelines bundle"
    folder = tmp_path / "IN"
    folder.mkdir()
    for name, chosen in (("rnaseq", patients), ("rppa", patients[:2])):
        raw = read_raw_samples(project, name)
        raw[raw.index.str.slice(0, 12).isin(chosen)].T.to_csv(folder / f"{name}.tsv", sep="\t")
    places = commands[1].replace("=IN", f"={folder}").replace("=OUT", f"={tmp_path / 'OUT'}")
    project.command(*shlex.split(places))
    flags = pd.read_parquet(tmp_path / "OUT" / "flags.parquet")
    counted = flags.groupby(["modality", "status"]).size().to_dict()
    assert counted == {
        ("cna", "generated"): 3,
        ("rnaseq", "observed"): 3,
        ("rppa", "generated"): 1,
        ("rppa", "observed"): 2,
        ("wsi", "generated"): 3,
    }
    page = (tmp_path / "OUT" / "completion.html").read_text(encoding="utf-8")
    assert all(patient in page for patient in patients)


def test_the_notebook_of_new_patients_runs(
    project: Project, patients: list[str], repo_root: Path
) -> None:
    stored = nbformat.read(repo_root / "notebooks" / "new_patients.ipynb", as_version=4)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    folder = project.root / "notebooks"
    folder.mkdir()
    NotebookClient(stored, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [output.get("data", {}) for cell in code for output in cell.outputs]
    tables = [data["text/html"] for data in shown if "text/html" in data]
    assert len(tables) == 3
    for table, word in zip(
        tables, ("observed", "held_out_change", "expected_change_test_rank"), strict=True
    ):
        assert word in table
        assert patients[0] in table
    assert sum("image/png" in data for data in shown) == 1
