"""The same seed gives the same results, interrupted or not."""

import shutil
import time
from pathlib import Path

import pytest

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.datasets.training_state import TrainingStateDataset
from tests.end_to_end.projects import Project

pytestmark = pytest.mark.runs

# What the training reads.
INPUTS = tuple(
    f"{layer}/demo{name}" for layer, name in (("05_model_input", ""), ("06_models", "/encoders"))
)


def read_files(folder: Path, pattern: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob(pattern)}


def state_of(project: Project, family: str) -> Path:
    return project.path("06_models", f"training_state/{family}/cna.safetensors")


def load_state(project: Project, family: str) -> Checkpoint:
    return TrainingStateDataset(filepath=str(state_of(project, family))).load()


def kill_during_training(project: Project, family: str) -> None:
    """Kill the run without warning once it has saved the first state of a family's models of cna."""
    state = state_of(project, family)
    for _ in range(5):
        log = project.root / "killed.log"
        with log.open("w") as output:
            process = project.start("--pipelines", "diffusion_training", output=output)
            try:
                while not state.exists():
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.002)
            finally:
                process.kill()
                process.wait()
        if not load_state(project, family).metadata["finished"]:
            return
        # On a busy machine the training may be over before it is killed.
        shutil.rmtree(project.path("06_models", "training_state"))
    raise AssertionError("the training was never killed in time")


@pytest.fixture(scope="module")
def again(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run all of the demo once more, in another folder."""
    project = demo.clone(tmp_path_factory.mktemp("again") / "demo")
    project.run()
    return project


def test_the_same_seed_writes_the_same_tables_to_the_byte(demo: Project, again: Project) -> None:
    first, second = (read_files(run.path("08_reporting"), "*.csv") for run in (demo, again))
    assert {"table1_reconstruction.csv", "fig1_umap.csv", "single.training_history.csv"} <= set(
        first
    )
    assert [name for name in first if second[name] != first[name]] == []
    assert set(first) == set(second)


def test_the_same_seed_writes_the_same_models_and_draws(demo: Project, again: Project) -> None:
    for layer, pattern, at_least in (
        ("06_models", "*.safetensors", 41),
        ("07_model_output", "*.parquet", 77),
    ):
        first, second = (read_files(run.path(layer), pattern) for run in (demo, again))
        assert len(first) >= at_least
        assert [name for name in first if second.get(name) != first[name]] == []


def test_another_seed_writes_another_table(demo: Project, tmp_path: Path) -> None:
    models = (f"06_models/demo/{name}" for name in ("single", "multi", "consensus"))
    project = demo.clone(tmp_path / "demo", *INPUTS, *models)
    project.run(
        "coherent_sampling",
        params={"coherent_sampling": {"seed": 1}},
        to_outputs=["coherence_table"],
    )
    tables = [read_files(run.path("08_reporting"), "coherence.csv") for run in (demo, project)]
    assert tables[0] != tables[1]


@pytest.mark.parametrize(("family", "only_missing_outputs"), [("single", False), ("multi", True)])
def test_a_training_that_was_killed_goes_on_to_the_same_models(
    family: str,
    only_missing_outputs: bool,
    demo: Project,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    project = demo.clone(tmp_path / "demo", *INPUTS)
    kill_during_training(project, family)
    assert not list(project.path("06_models", family).glob("cna*"))
    # What a kill in the middle of a write would leave.
    models = project.path("06_models")
    for leftover in (f"training_state/{family}/cna.safetensors", "consensus/x", f"{family}/cna.x"):
        partial = models / f"{leftover}.partial"
        partial.parent.mkdir(exist_ok=True, parents=True)
        partial.write_bytes(b"half")
    with caplog.at_level("INFO"):
        project.run("diffusion_training", only_missing_outputs=only_missing_outputs)
    assert "of an interrupted training" in caplog.text
    for folder in ("single", "multi", "consensus"):
        whole, resumed = (
            read_files(run.path("06_models", folder), "*.safetensors") for run in (demo, project)
        )
        assert set(resumed) == set(whole)
        assert [name for name in whole if resumed[name] != whole[name]] == []
