"""Fixtures shared by all tests."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tcga_coherent import configuration
from tcga_coherent.configuration import Configured, EnvironmentConfigLoader

pytest_plugins = ["tests.simulated_draws"]

# A developer's own consent must not make the tests phone home.
os.environ["DO_NOT_TRACK"] = "1"

REPO_ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each process that tests take whole files, whose tests share what they set up, and one all of the demo's."""
    of_demo = {item.path for item in items if "demo" in getattr(item, "fixturenames", ())}
    for item in items:
        group = "demo" if item.path in of_demo else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """Root of the project."""
    return REPO_ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder with real TCGA data beside the checkout; tests that need it skip without it."""
    folder = REPO_ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: the real TCGA data are not on this machine")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _no_environment_of_other_tests() -> None:
    """Let pipelines follow base's modalities, whatever an earlier module loaded."""
    EnvironmentConfigLoader.latest = None


@pytest.fixture
def lanes_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any]], None]:
    """Let pipelines follow the modalities given, as if the environment had these."""

    def follow(modalities: Mapping[str, Any]) -> None:
        tasks = {"tasks": ["stage", "survival"]}
        joined = Configured("", {"modalities": modalities, "evaluation": tasks})
        monkeypatch.setattr(configuration, "_joined", joined)

    return follow
