"""A small pipeline of files on the processes of a local cluster."""

import logging
import os
import signal
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from tcga_coherent import configuration
from tcga_coherent.configuration import Configured
from tcga_coherent.datasets.atomic import AtomicParquetDataset
from tcga_coherent.datasets.identity import read_identity
from tcga_coherent.runners import DaskRunner
from tcga_coherent.runners.dask_runner import check_persisted

pytest.importorskip("distributed")

PATIENTS = pd.Index(["P1", "P2"], name="patient_id")


def note(folder: str, what: str) -> None:
    """Count how often a node ran, whichever process ran it."""
    with (Path(folder) / f"{what}.ran").open("a") as file:
        file.write(f"{os.getpid()}\n")


def make(folder: str, value: float) -> pd.DataFrame:
    note(folder, f"make {value}")
    return pd.DataFrame({"x": [value, value + 1]}, index=PATIENTS)


def square(folder: str, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    note(folder, f"square {name}")
    return frame**2


def fail(frame: pd.DataFrame) -> pd.DataFrame:
    raise ValueError("the file of this modality is damaged")


def die_once(folder: str, frame: pd.DataFrame) -> pd.DataFrame:
    note(folder, "die")
    if len((Path(folder) / "die.ran").read_text().splitlines()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return frame


def add(folder: str, *frames: pd.DataFrame) -> pd.DataFrame:
    note(folder, "add")
    return sum(frames[1:], frames[0])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    parameters = {"compute": {"threads": 1}, "a": 1, "b": 2}
    monkeypatch.setattr(configuration, "_joined", Configured("demo", parameters))
    return tmp_path


def catalog_of(folder: Path, *names: str) -> DataCatalog:
    datasets = {
        name: AtomicParquetDataset(filepath=(folder / f"{name}.parquet").as_posix())
        for name in names
    }
    threads = {"params:compute.threads": MemoryDataset(1)}
    values = {f"params:{name}": MemoryDataset(number) for number, name in enumerate("ab", 1)}
    return DataCatalog({**datasets, **threads, **values})


def lane(folder: Path, name: str) -> list[Node]:
    return [
        Node(partial(make, str(folder)), f"params:{name}", f"made_{name}", name=f"make_{name}"),
        Node(
            partial(square, str(folder), name),
            f"made_{name}",
            f"squared_{name}",
            name=f"square_{name}",
        ),
    ]


def runs(folder: Path, what: str) -> int:
    file = folder / f"{what}.ran"
    return len(file.read_text().splitlines()) if file.is_file() else 0


def test_lanes_run_on_workers_and_their_results_know_what_they_were_made_from(
    project: Path,
) -> None:
    catalog = catalog_of(project, "made_a", "squared_a", "made_b", "squared_b", "sum")
    pipeline = Pipeline(
        [
            *lane(project, "a"),
            *lane(project, "b"),
            Node(partial(add, str(project)), ["squared_a", "squared_b"], "sum", name="add"),
        ]
    )
    DaskRunner(n_workers=2).run(pipeline, catalog)
    # 1, 2 and 2, 3 squared and added.
    assert catalog.load("sum")["x"].tolist() == [5, 13]
    identity = read_identity(project / "sum.parquet")
    assert identity is not None
    squared = read_identity(project / "squared_a.parquet")
    assert squared is not None
    assert identity.inputs["squared_a"].content == squared.content
    here = str(os.getpid())
    assert here not in (project / "add.ran").read_text()


def test_a_node_that_fails_costs_only_those_behind_it(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = catalog_of(project, "made_a", "squared_a", "made_b", "squared_b", "bad", "sum")
    pipeline = Pipeline(
        [
            *lane(project, "a"),
            *lane(project, "b"),
            Node(fail, "made_a", "bad", name="fail"),
            Node(partial(add, str(project)), ["bad", "squared_b"], "sum", name="add"),
        ]
    )
    with (
        caplog.at_level(logging.ERROR, logger="tcga_coherent"),
        pytest.raises(ValueError, match="the file of this modality is damaged"),
    ):
        DaskRunner(n_workers=2).run(pipeline, catalog)
    assert "1 nodes failed and 1 behind them were not run" in caplog.text
    assert catalog.load("squared_b")["x"].tolist() == [4, 9]
    assert runs(project, "add") == 0
    assert not (project / "bad.parquet").exists()


def test_a_worker_that_dies_costs_the_node_it_was_running(project: Path) -> None:
    catalog = catalog_of(project, "made_a", "squared_a", "kept", "made_b", "squared_b")
    pipeline = Pipeline(
        [
            *lane(project, "a"),
            *lane(project, "b"),
            Node(partial(die_once, str(project)), "squared_a", "kept", name="die"),
        ]
    )
    DaskRunner(n_workers=2).run(pipeline, catalog)
    assert catalog.load("kept")["x"].tolist() == [1, 4]
    assert runs(project, "die") == 2
    assert [runs(project, what) for what in ("make 1", "make 2", "square a")] == [1, 1, 1]


def test_what_passes_in_memory_is_refused_before_anything_runs(tmp_path: Path) -> None:
    pipeline = Pipeline(lane(tmp_path, "a"))
    catalog = catalog_of(tmp_path, "squared_a")
    with pytest.raises(ValueError, match=r"made_a would pass from node to node in memory"):
        check_persisted(pipeline, catalog)
    check_persisted(pipeline, catalog_of(tmp_path, "made_a", "squared_a"))


def test_processes_here_and_a_cluster_elsewhere_are_not_both(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give one of them"):
        DaskRunner(n_workers=2, scheduler="tcp://localhost:8786")
    with pytest.raises(ValueError, match="leave is_async out"):
        DaskRunner(is_async=True)
