"""One small run of the demo, reused by as many tests as possible."""

from pathlib import Path

import pytest

from tests.end_to_end.projects import Project, small_demo


@pytest.fixture(scope="session")
def demo(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run the demo with its command; read only, since other tests rely on it."""
    project = small_demo(repo_root, tmp_path_factory.mktemp("projects") / "demo")
    printed = project.command()
    # A figure or an export that fails ends no run.
    assert "could not be made" not in printed, printed
    return project
