"""Inputs from practice on which software of this kind goes wrong, built from the real cohort beside the checkout."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.projects import Project

pytestmark = pytest.mark.practice


@dataclass(frozen=True)
class Outcome:
    """What a user is left with.

    Attributes
    ----------
    said
        The message of the error, or the warnings of a run that ended well.
    stopped
        Whether it was an error.
    project
        Where results lie.
    flags
        Of new patients; without rows where the run stopped, or ingested a cohort.
    """

    said: str
    stopped: bool
    project: Project
    flags: pd.DataFrame

    def status(self, modality: str) -> dict[str, str]:
        """Return patient to what became of a modality."""
        rows = self.flags[self.flags["modality"] == modality]
        return dict(zip(rows["patient_id"], rows["status"], strict=True))

    def table(self, layer: str, name: str) -> pd.DataFrame:
        """Read a result of the run."""
        return pd.read_parquet(self.project.path(layer, f"{name}.parquet"))


@dataclass(frozen=True)
class Practice:
    """A cohort of 460 real patients, models trained on it, and inputs that people have.

    Attributes
    ----------
    cases
        Copy of the folder of inputs, where they are built.
    project
        Trained on the cohort.
    """

    cases: Path
    project: Project
    caplog: pytest.LogCaptureFixture
    tmp_path: Path

    def build(self, case: str, *arguments: str) -> None:
        """Run the script that builds a case's input."""
        (folder,) = self.cases.glob(f"{case}_*")
        subprocess.run(
            [sys.executable, "make_input.py", *arguments],
            cwd=folder,
            env=environment(self.cases),
            check=True,
            capture_output=True,
        )

    def input(self, name: str) -> Path:
        """Return the folder that a script has filled."""
        return self.cases / "work" / "in" / name

    def ingest(
        self, name: str, *pipelines: str, change: Callable[[Path], None] | None = None
    ) -> Outcome:
        """Read a cohort in a project of its own; `change` may edit its configuration."""
        project = Project.copy(self.project.root, self.tmp_path / name, "mini")
        if change is not None:
            change(project.conf)
        names = pipelines or ("ingestion", "preprocessing")
        return self._run(project, names, {"cohort_dir": str(self.input(name))})

    def complete(self, name: str, project: Project | None = None, **params: object) -> Outcome:
        """Complete the new patients of a folder."""
        folders = {"input_dir": str(self.input(name)), "output_dir": str(self.tmp_path / "out")}
        given = {"completion": folders, **params}
        return self._run(project or self.project, ("complete",), given)

    def _run(self, project: Project, names: tuple[str, ...], params: dict[str, object]) -> Outcome:
        self.caplog.clear()
        stopped, message = False, ""
        with self.caplog.at_level(logging.WARNING):
            try:
                project.run(*names, params=params)
            except Exception as error:
                stopped, message = True, f"{type(error).__name__}: {error}"
        warnings = [r.getMessage() for r in self.caplog.records if r.levelno >= logging.WARNING]
        flags = self.tmp_path / "out" / "flags.parquet"
        return Outcome(
            message or "\n".join(warnings),
            stopped,
            project,
            pd.read_parquet(flags)
            if not stopped and flags.is_file()
            else pd.DataFrame(columns=["patient_id", "modality", "status", "accepted", "reason"]),
        )


def environment(cases: Path) -> dict[str, str]:
    return {**os.environ, "SHARED": str(cases.parent / "shared"), "CASES_WORK": str(cases / "work")}


@pytest.fixture(scope="session")
def built(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Project]:
    shared = repo_root.parent / "shared"
    if not (shared / "cases" / "make_mini.py").is_file() or not (shared / "cohort").is_dir():
        pytest.skip("needs the inputs ../shared/cases and the cohort ../shared/cohort")
    root = tmp_path_factory.mktemp("practice")
    cases = root / "cases"
    shutil.copytree(shared / "cases", cases)
    (root / "shared").symlink_to(shared)
    subprocess.run(
        [sys.executable, "make_mini.py"],
        cwd=cases,
        env=environment(cases),
        check=True,
        capture_output=True,
    )
    project = Project.copy(repo_root, root / "project", "mini")
    shutil.copytree(cases / "conf" / "mini", project.conf)
    # It lies as the cohort does, however its catalog was written when it was collected.
    catalog = project.root / "conf" / "cohort" / "catalog" / "ingestion.yml"
    shutil.copy(catalog, project.conf / "catalog" / "ingestion.yml")
    project.change_globals({"cohort_dir": str(cases / "work" / "mini_raw")})
    project.run(
        "ingestion", "preprocessing", "embedding", "diffusion_training", "coherent_sampling"
    )
    return cases, project


@pytest.fixture
def practice(
    built: tuple[Path, Project], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> Practice:
    return Practice(*built, caplog, tmp_path)
