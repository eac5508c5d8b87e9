"""Conventions that configuration and catalog keep in every environment."""

import re
import socket
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project, pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.validation import ParameterValidationError, ParameterValidator

from tcga_coherent.settings import CONFIG_LOADER_ARGS

ENVIRONMENTS = ("base", "demo", "cohort", "gpu", "paper", "her2st", "tcga_tiles")

# Parts, so that this file is not its own finding.
REGISTRY_HOSTS = re.compile(
    "|".join(
        "".join(parts)
        for parts in (
            (r"py", r"pi\.org"),
            (r"python", r"hosted\.org"),
            (r"download\.py", r"torch\.org"),
            (r"ana", r"conda\.(org|com)"),
            (r"npm", r"js\.(org|com)"),
            (r"un", r"pkg\.com"),
            (r"--(extra-)?", r"index-url"),
        )
    )
)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("configuration alone must not ask the network")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def registered() -> Iterator[dict[str, Pipeline]]:
    configure_project("tcga_coherent")
    pipelines.set_requested(None)
    yield dict(pipelines)
    pipelines.set_requested(None)


def configuration(repo_root: Path, environment: str, **changes: Any) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        conf_source=str(repo_root / "conf"),
        env=environment,
        **{**CONFIG_LOADER_ARGS, **changes},
    )


def written_paths(
    repo_root: Path, environment: str, registered: dict[str, Pipeline]
) -> dict[str, str]:
    """Path of every dataset that some pipeline writes, by the catalog."""
    catalog = DataCatalog.from_config(configuration(repo_root, environment)["catalog"])
    outputs = set().union(*(pipeline.all_outputs() for pipeline in registered.values()))
    paths = {}
    for name in outputs:
        dataset = catalog.get(name)
        path = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
        assert path is not None, name
        paths[name] = str(path)
    return paths


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_dataset_is_in_the_catalog(
    environment: str, repo_root: Path, registered: dict[str, Pipeline]
) -> None:
    config = configuration(repo_root, environment)["catalog"]
    catalog = DataCatalog.from_config(config)
    names = set().union(*(pipeline.datasets() for pipeline in registered.values()))
    names = {name for name in names if not name.startswith(("params:", "parameters"))}
    assert len(names) > 40
    assert {name for name in names if catalog.get(name) is None} == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_parameter_of_a_node_is_configured(
    environment: str, repo_root: Path, registered: dict[str, Pipeline]
) -> None:
    parameters = configuration(repo_root, environment)["parameters"]
    names = set().union(*(pipeline.datasets() for pipeline in registered.values()))
    for name in sorted(name for name in names if name.startswith("params:")):
        value = parameters
        for key in name.removeprefix("params:").split("."):
            assert key in value, name
            value = value[key]


def test_no_entry_of_the_catalog_is_left_over(
    repo_root: Path, registered: dict[str, Pipeline]
) -> None:
    names = set().union(*(pipeline.datasets() for pipeline in registered.values()))
    for environment in ENVIRONMENTS:
        entries = configuration(repo_root, environment)["catalog"]
        exact = {entry for entry in entries if "{" not in entry}
        assert exact <= names, environment
        patterns = {entry: parse_pattern(entry) for entry in entries if "{" in entry}
        unused = [entry for entry, like in patterns.items() if not any(map(like.fullmatch, names))]
        assert unused == [], environment


def parse_pattern(entry: str) -> re.Pattern[str]:
    """Return what the names of a pattern of the catalog look like, as ``latents/{modality}``."""
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", entry))))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_written_lies_in_a_folder_of_the_environment(
    environment: str, repo_root: Path, registered: dict[str, Pipeline]
) -> None:
    paths = written_paths(repo_root, environment, registered)
    layers = "02_intermediate|03_primary|04_feature|05_model_input|06_models|07_model_output|08_reporting"
    for name, path in paths.items():
        assert re.search(rf"\bdata/({layers})/{environment}/", path), (name, path)
    assert len(paths) > 40


def test_no_two_environments_write_to_the_same_place(
    repo_root: Path, registered: dict[str, Pipeline]
) -> None:
    paths = {
        environment: set(written_paths(repo_root, environment, registered).values())
        for environment in ENVIRONMENTS
    }
    for one, other in combinations(ENVIRONMENTS, 2):
        assert paths[one] & paths[other] == set()
        assert not any(a.startswith(f"{b}/") for a in paths[one] for b in paths[other])


def test_no_two_outputs_share_a_file(repo_root: Path, registered: dict[str, Pipeline]) -> None:
    paths = written_paths(repo_root, "demo", registered)
    twice = [name for name in paths if list(paths.values()).count(paths[name]) > 1]
    assert twice == []


@pytest.mark.parametrize(
    ("group", "key"),
    [
        ("diffusion_training", "max_steps"),
        ("coherent_sampling", "n_draws"),
        ("completion", "method"),
        ("embedding", "max_epochs"),
        ("preprocessing", "seed"),
        ("evaluation", "seed"),
    ],
)
def test_a_misspelt_key_in_a_file_is_named(
    group: str, key: str, repo_root: Path, registered: dict[str, Pipeline]
) -> None:
    parameters = configuration(repo_root, "base")["parameters"]
    parameters[group] = {**parameters[group], f"{key}_": parameters[group][key]}
    with pytest.raises(ParameterValidationError, match=rf"'{group}'[\s\S]*{key}_\n"):
        ParameterValidator(registered).validate_raw_params(parameters)


def test_an_environment_that_changes_one_key_keeps_its_siblings(tmp_path: Path) -> None:
    files = {
        "base": {"training": {"budget": {"steps": 9, "seed": 1}, "rate": 0.5}, "other": 3},
        "mine": {"training": {"budget": {"steps": 2}}},
    }
    for environment, parameters in files.items():
        (tmp_path / environment).mkdir()
        (tmp_path / environment / "parameters.yml").write_text(yaml.safe_dump(parameters))

    def load(**arguments: Any) -> dict[str, Any]:
        return OmegaConfigLoader(conf_source=str(tmp_path), env="mine", **arguments)["parameters"]

    soft = {"training": {"budget": {"steps": 2, "seed": 1}, "rate": 0.5}, "other": 3}
    assert load(**CONFIG_LOADER_ARGS) == soft
    # What Kedro does by itself, against which the setting is there.
    without = {k: v for k, v in CONFIG_LOADER_ARGS.items() if k != "merge_strategy"}
    assert load(**without) == {"training": {"budget": {"steps": 2}}, "other": 3}


def test_the_cohort_environment_changes_steps_and_keeps_the_rest_of_a_modality(
    repo_root: Path,
) -> None:
    base = configuration(repo_root, "base")["parameters"]
    cohort = configuration(repo_root, "cohort")["parameters"]
    for name in ("cna", "rnaseq", "wsi"):
        assert cohort["modalities"][name]["steps"] != base["modalities"][name]["steps"]
        for key in ("label", "color", "latent_size"):
            assert cohort["modalities"][name][key] == base["modalities"][name][key]
    assert cohort["ingestion"]["barcodes"] == base["ingestion"]["barcodes"]


def test_nobody_is_asked_for_telemetry(repo_root: Path) -> None:
    assert yaml.safe_load((repo_root / ".telemetry").read_text()) == {"consent": False}
    assert "project_id" not in (repo_root / "pyproject.toml").read_text()
    assert ".telemetry" in tracked_files(repo_root)


def test_no_file_names_the_host_of_a_package_registry(repo_root: Path) -> None:
    found = {}
    for name in tracked_files(repo_root):
        try:
            text = (repo_root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        if match := REGISTRY_HOSTS.search(text):
            found[name] = match[0]
    assert found == {}


def test_the_search_for_hosts_would_find_them() -> None:
    for host in ("py" + "pi.org", "files.python" + "hosted.org", "--extra-" + "index-url"):
        assert REGISTRY_HOSTS.search(f"see {host} for more")


def tracked_files(repo_root: Path) -> list[str]:
    """Files under version control; those beside the code where there is none."""
    listed = subprocess.run(["git", "ls-files"], cwd=repo_root, capture_output=True, text=True)
    if listed.returncode == 0:
        return listed.stdout.splitlines()
    folders = ("conf", "src", "tests", "docs", "benchmarks", "notebooks")
    inside = [path for folder in folders for path in (repo_root / folder).rglob("*")]
    return [
        str(path.relative_to(repo_root))
        for path in [*inside, *repo_root.iterdir()]
        if path.is_file()
    ]
