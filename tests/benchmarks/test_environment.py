import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from environment import Environment, open_environment, trained_models, training_parameters
from tests.benchmarks.conftest import in_memory
from tests.end_to_end.projects import Project


@pytest.fixture(autouse=True)
def _levels_of_loggers() -> Iterator[None]:
    """Benchmarks silence the engine's log, which other tests read."""
    loggers = [logging.getLogger(name) for name in ("kedro", "tcga_coherent")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def project(repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project in which nothing was run."""
    (tmp_path / "project").mkdir()
    copy = Project.copy(repo_root, tmp_path / "project", "demo")
    monkeypatch.chdir(copy.root)
    return copy


def test_a_folder_that_is_no_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="has no conf/demo: start the benchmarks from the project"):
        open_environment("demo")


def test_missing_latents_are_named_with_the_command_that_makes_them(project: Project) -> None:
    message = (
        "The environment demo has no latents/cna and 8 more: `kedro run --env demo` makes them."
    )
    with pytest.raises(SystemExit, match=message):
        open_environment("demo")


def test_missing_models_are_named_with_the_command_that_makes_them(
    environment: Environment,
) -> None:
    untrained = Environment(**{**vars(environment), "catalog": in_memory({"multi/cna": None})})
    message = (
        "The environment small has no single/cna_from_rnaseq and 13 more: `kedro run --env small`"
    )
    with pytest.raises(SystemExit, match=message):
        trained_models(untrained)


def test_latents_parameters_and_device_come_from_the_environment(
    project: Project, environment: Environment
) -> None:
    catalog = project.catalog()
    sizes = {"cna": 3, "rnaseq": 3, "rppa": 2}
    project.change_parameters({"modalities": {"wsi": None}})
    for name, frame in environment.latents.items():
        catalog.save(f"latents/{name}", frame)
        catalog.save(f"codes/{name}", environment.conditions[name].drop(columns=frame.columns))
    catalog.save("split", environment.split.to_frame())
    opened = open_environment("demo", "cpu")
    assert {name: frame.shape[1] for name, frame in opened.latents.items()} == sizes
    assert opened.training.max_steps == catalog.load("params:diffusion_training").max_steps
    assert opened.device.type == "cpu"


def test_values_are_those_of_the_patients_in_their_order(environment: Environment) -> None:
    patients = environment.patients("test")[[3, 1]]
    values = environment.values(patients)
    assert values["rppa"].tolist() == environment.latents["rppa"].loc[patients].to_numpy().tolist()
    assert environment.sources("rnaseq") == ("cna", "rppa")


def test_training_parameters_of_another_environment_need_no_data(project: Project) -> None:
    assert training_parameters("gpu").batch_size == 512
