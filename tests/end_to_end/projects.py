"""Copies of the project with small settings, to be run where nothing is overwritten."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml
from kedro.framework.context import KedroContext
from kedro.framework.project import configure_project, pipelines
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog
from omegaconf import OmegaConf

from tcga_coherent.datasets.identity import FOLDER

PACKAGE = "tcga_coherent"

# Enough to run every line, far too little to learn much.
SMALL_BUDGETS: dict[str, Any] = {
    "compute": {"device": "cpu", "threads": 1},
    "embedding": {"max_epochs": 5},
    "diffusion_training": {
        "architecture": {"hidden_dim": 32, "n_layers": 2, "time_dim": 16, "condition_dim": 8},
        "validation": {"every": 10, "n_draws": 4, "n_steps": 5},
        "batch_size": 32,
        "max_steps": 60,
    },
    "coherent_sampling": {"n_steps": 6, "n_draws": 4},
    "evaluation": {
        "n_repeats": 2,
        "forests": {"n_trees": 10},
        "bootstrap": {"repeats": 50},
        "rescue": {"n_draws": 2},
        "counterfactual": {"n_counterfactuals": 2},
    },
}

# Five cancer types: metastases only (SKCM), hardly any complete patient (GBM), and one of which nobody
# has copy numbers (THCA).
SMALL_COHORTS = ("BRCA", "GBM", "LUAD", "SKCM", "THCA")
SMALL_FEATURES = {"cna": 40, "rnaseq": 50, "rppa": 30, "wsi": 48}


@dataclass(frozen=True)
class Project:
    """A copy of the project's configuration in a folder of its own; the package stays installed.

    Attributes
    ----------
    root
        Folder of the copy.
    environment
        Environment that runs use.
    """

    root: Path
    environment: str

    @classmethod
    def copy(cls, repo_root: Path, root: Path, environment: str) -> "Project":
        """Copy the configuration to the new folder `root`."""
        ignored = shutil.ignore_patterns("local")
        shutil.copytree(repo_root / "conf", root / "conf", ignore=ignored)
        (root / "src").mkdir()
        for name in ("pyproject.toml", ".telemetry"):
            shutil.copy(repo_root / name, root / name)
        return cls(root, environment)

    def clone(self, root: Path, *data: str) -> "Project":
        """Copy configuration and the named paths below ``data``, with their identities, to `root`."""
        copy = Project.copy(self.root, root, self.environment)
        for name in data:
            source = self.root / "data" / name
            if source.is_dir():
                shutil.copytree(source, root / "data" / name)
            else:
                (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, root / "data" / name)
            identity = source.parent / FOLDER / f"{source.name}.json"
            if identity.is_file():
                folder = (root / "data" / name).parent / FOLDER
                folder.mkdir(exist_ok=True)
                shutil.copy(identity, folder)
        return copy

    @property
    def conf(self) -> Path:
        """Folder of the environment's configuration."""
        return self.root / "conf" / self.environment

    def path(self, layer: str, name: str = "") -> Path:
        """Return a path of the environment in a layer of the data folder."""
        return self.root / "data" / layer / self.environment / name

    def change_globals(self, changes: Mapping[str, Any]) -> None:
        """Merge `changes` into the environment's globals."""
        self._rewrite([self.conf / "globals.yml"], self.conf / "globals.yml", changes)

    def change_parameters(self, changes: Mapping[str, Any]) -> None:
        """Merge `changes` into the environment's parameters."""
        found = sorted((self.conf / "parameters").rglob("*.yml"))
        self._rewrite(found, self.conf / "parameters" / "all.yml", changes)

    def _rewrite(self, files: list[Path], target: Path, changes: Mapping[str, Any]) -> None:
        """Join files to one, since a key must not be in two of an environment."""
        merged = OmegaConf.merge(*(OmegaConf.load(file) for file in files), dict(changes))
        for file in files:
            file.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(merged, target)

    def run(self, *names: str, params: Mapping[str, Any] | None = None, **filters: Any) -> None:
        """Run pipelines in this process, so that errors arrive as they were raised."""
        with self._session(params) as session:
            session.run(pipeline_names=list(names) or None, **filters)

    def context(self, params: Mapping[str, Any] | None = None) -> KedroContext:
        """Load the context as a run does."""
        with self._session(params) as session:
            return session.load_context()

    def catalog(self) -> DataCatalog:
        """Return the catalog with all patterns."""
        return self.context().catalog

    def outputs(self, *names: str) -> set[str]:
        """Return the names of all datasets that some pipelines write."""
        configure_project(PACKAGE)
        # A run before may have asked for some pipelines only.
        pipelines.set_requested(None)
        return {output for name in names for output in pipelines[name].all_outputs()}

    @contextmanager
    def _session(self, params: Mapping[str, Any] | None) -> Iterator[KedroSession]:
        configure_project(PACKAGE)
        former = Path.cwd()
        os.chdir(self.root)
        try:
            with KedroSession.create(
                project_path=self.root,
                env=self.environment,
                runtime_params=dict(params or {}),
                save_on_close=False,
            ) as session:
                yield session
        finally:
            os.chdir(former)

    def start(
        self, *arguments: str, output: int | IO[str] = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """Start ``kedro run`` as a user does; a pipe that nobody reads blocks it when it is full."""
        return subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", "--env", self.environment, *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "DO_NOT_TRACK": "1",
                # Rich breaks lines at the width of a terminal, which would part messages.
                "COLUMNS": "1000",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *arguments: str) -> str:
        """Run ``kedro run`` to its end and return what it printed; it must succeed."""
        process = self.start(*arguments)
        printed, _ = process.communicate()
        assert process.returncode == 0, printed
        return printed


def small_demo(repo_root: Path, root: Path, patients: int = 300) -> Project:
    """Return the demo project with few patients, features and steps."""
    project = Project.copy(repo_root, root, "demo")
    demo = yaml.safe_load((project.conf / "globals.yml").read_text(encoding="utf-8"))
    simulation = demo["simulation"]
    simulation["patients"] = patients
    simulation["cohorts"] = {name: simulation["cohorts"][name] for name in SMALL_COHORTS}
    for name, features in SMALL_FEATURES.items():
        simulation["modalities"][name]["features"] = features
    simulation["modalities"]["wsi"]["source"]["width"] = SMALL_FEATURES["wsi"]
    (project.conf / "globals.yml").write_text(yaml.safe_dump(demo, sort_keys=False))
    project.change_parameters(
        {**SMALL_BUDGETS, "modalities": {name: {"latent_size": 6} for name in SMALL_FEATURES}}
    )
    return project
