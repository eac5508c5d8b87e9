"""A run on several workers, and the main job as tasks of another scheduler."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from graphlib import TopologicalSorter
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.projects import Project, small_demo

DASK = ("--runner", "tcga_coherent.runners.DaskRunner", "--runner-params=n_workers=2")


def results(project: Project) -> dict[str, bytes]:
    """Return the files of all results by name; times are no result."""
    found = {}
    for layer in ("05_model_input", "06_models", "07_model_output", "08_reporting"):
        folder = project.path(layer)
        for path in folder.rglob("*"):
            inside = path.relative_to(project.root).as_posix()
            if path.is_file() and not re.search(
                r"\.identity|node_times|\.lock|\.holder|repeats", inside
            ):
                found[inside] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def sequential(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = small_demo(repo_root, tmp_path_factory.mktemp("sequential") / "demo")
    project.command()
    return project


def differing(one: Project, other: Project) -> list[str]:
    first, second = results(one), results(other)
    assert first.keys() == second.keys()
    # The page names the time and the machine's load.
    return [n for n in first if first[n] != second[n] and not n.endswith("report.html")]


@pytest.mark.cluster
def test_two_workers_give_the_results_of_one_process_to_the_byte(
    sequential: Project, repo_root: Path, tmp_path: Path
) -> None:
    project = small_demo(repo_root, tmp_path / "demo")
    printed = project.command(*DASK)
    assert "dashboard: http" in printed
    assert differing(sequential, project) == []


@pytest.mark.cluster
def test_a_worker_killed_in_training_costs_its_node_and_the_results_are_the_same(
    sequential: Project, repo_root: Path, tmp_path: Path
) -> None:
    project = small_demo(repo_root, tmp_path / "demo")
    with (tmp_path / "log").open("w") as log:
        process = project.start(*DASK, output=log)
        state = project.path("06_models", "training_state/single/cna.safetensors")
        while not state.exists():
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.2)
        workers = [
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if "spawn_main" in " ".join(child.cmdline())
        ]
        busiest = max(workers, key=lambda worker: sum(worker.cpu_times()[:2]))
        os.kill(busiest.pid, signal.SIGKILL)
        assert process.wait() == 0, (tmp_path / "log").read_text()
    assert differing(sequential, project) == []


def test_airflow_gets_a_task_for_every_box_of_the_lineage(repo_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("kedro_airflow")
    command = "kedro airflow create --env demo --pipelines lanes --group-by namespace --target-dir"
    subprocess.run(
        [sys.executable, "-m", *command.split(), str(tmp_path)],
        cwd=repo_root,
        check=True,
        capture_output=True,
    )
    (file,) = tmp_path.glob("*.py")
    code = file.read_text(encoding="utf-8")
    ast.parse(code)
    tasks = set(re.findall(r'@task\(task_id="([^"]+)"\)', code))
    lanes = {
        f"{pipeline}-{modality}"
        for pipeline in ("ingestion", "embedding", "diffusion-training", "coherent-sampling")
        for modality in ("cna", "rnaseq", "rppa", "wsi")
    }
    assert lanes | {"ingestion-samples", "preprocessing-split", "evaluation-rescue"} <= tasks
    graph: dict[str, set[str]] = {}
    for before, after in re.findall(r'tasks\["([^"]+)"\] >> tasks\["([^"]+)"\]', code):
        graph.setdefault(after, set()).add(before)
    # The clinical table is made in the box of samples.
    assert graph["embedding-cna"] == {"preprocessing-cna", "ingestion-samples"}
    assert set(TopologicalSorter(graph).static_order()) == tasks
