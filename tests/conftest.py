"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.simulated_draws"]

# A developer's own consent must not make the tests phone home.
os.environ["DO_NOT_TRACK"] = "1"

REPO_ROOT = Path(__file__).resolve().parents[1]


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
