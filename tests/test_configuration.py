"""Pipelines have the lanes of the environment at hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.framework.project import pipelines

from tcga_coherent import configuration
from tcga_coherent.configuration import configured_modalities
from tests.end_to_end.projects import Project

FOUR = ["cna", "rnaseq", "rppa", "wsi"]
METHYLATION = {"label": "Methylation", "color": "#56B4E9", "steps": []}
ENTRY = """
raw/methylation:
  type: tcga_coherent.datasets.raw.raw_modality.MatrixDataset
  filepath: data/01_raw/methylation.parquet
"""


@pytest.fixture
def with_five(repo_root: Path, tmp_path: Path) -> Project:
    project = Project.copy(repo_root, tmp_path / "five", "demo")
    project.change_parameters({"modalities": {"methylation": METHYLATION}})
    (project.conf / "catalog" / "methylation.yml").write_text(ENTRY)
    return project


@pytest.fixture
def with_three(repo_root: Path, tmp_path: Path) -> Project:
    project = Project.copy(repo_root, tmp_path / "three", "cohort")
    project.change_parameters({"modalities": {"wsi": None}})
    return project


def registered_lanes() -> set[str]:
    """Return the modalities that pipelines have latents of."""
    outputs = pipelines["embedding"].all_outputs()
    return {name.removeprefix("latents/") for name in outputs if name.startswith("latents/")}


def n_pairs() -> int:
    outputs = pipelines["diffusion_training"].all_outputs()
    return sum(name.startswith("single/") for name in outputs)


def test_a_fifth_modality_of_the_environment_has_a_lane(with_five: Project) -> None:
    with_five.context()
    assert configured_modalities() == [*FOUR, "methylation"]
    assert registered_lanes() == {*FOUR, "methylation"}
    assert n_pairs() == 5 * 4
    assert "raw/methylation" in pipelines["ingestion"].inputs()


def test_a_modality_that_is_null_has_none(with_three: Project) -> None:
    with_three.context()
    assert configured_modalities() == FOUR[:3]
    assert registered_lanes() == set(FOUR[:3])
    assert n_pairs() == 3 * 2
    assert not [name for name in pipelines["__default__"].datasets() if "wsi" in name]


def test_two_environments_in_one_process_have_each_their_own_lanes(
    with_five: Project, with_three: Project
) -> None:
    for project, n_lanes in ((with_five, 5), (with_three, 3), (with_five, 5)):
        project.context()
        assert len(registered_lanes()) == n_lanes
        assert n_pairs() == n_lanes * (n_lanes - 1)


def test_a_modality_that_a_run_leaves_out_has_no_lane_in_it(with_five: Project) -> None:
    with_five.context(params={"modalities": {"rppa": None}})
    assert registered_lanes() == {"cna", "rnaseq", "wsi", "methylation"}


def test_without_a_session_the_lanes_are_those_of_kedro_env(
    with_five: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration.EnvironmentConfigLoader, "latest", None)
    monkeypatch.chdir(with_five.root)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    assert configured_modalities() == FOUR
    monkeypatch.setattr(configuration.EnvironmentConfigLoader, "latest", None)
    monkeypatch.setenv("KEDRO_ENV", "demo")
    assert configured_modalities() == [*FOUR, "methylation"]


def test_outside_of_a_project_there_are_no_lanes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration.EnvironmentConfigLoader, "latest", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"lies in no project: pipelines follow the modalities"):
        configured_modalities()


def test_the_command_that_describes_a_pipeline_shows_the_lanes_of_kedro_env(
    with_five: Project,
) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "kedro", "registry", "describe", "embedding"],
        cwd=with_five.root,
        env={**os.environ, "KEDRO_ENV": "demo", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    for name in (*FOUR, "methylation"):
        assert f"embedding.{name}.encode" in shown.stdout
