"""A trained environment of small latents, and the benchmarks' folder on the path.

The benchmarks are scripts that import each other by their bare names, as Python arranges for a
script's own folder.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.io import DataCatalog, MemoryDataset

REPO_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO_ROOT / "benchmarks"))

from environment import Environment  # noqa: E402
from tests.pipelines.latent_cohort import (  # noqa: E402
    SAMPLING,
    TRAINING,
    make_conditions,
    make_encoders,
    make_latents,
    make_split,
    train_all,
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def environment() -> Environment:
    """Three modalities, two of one size, with trained denoisers."""
    torch.set_num_threads(1)
    split = make_split()
    latents = make_latents(split)
    models = train_all(latents, split, make_encoders())
    return Environment(
        name="small",
        latents=latents,
        conditions=make_conditions(latents),
        split=split["split"],
        training=TRAINING,
        sampling=SAMPLING,
        device=torch.device("cpu"),
        catalog=in_memory(
            {
                f"{kind}/{name}": model
                for kind in ("single", "multi", "consensus", "linear")
                for name, model in models[kind].items()
            }
        ),
    )


def in_memory(contents: Mapping[str, Any]) -> DataCatalog:
    """Return a catalog of what is given."""
    return DataCatalog(
        {name: MemoryDataset(content, copy_mode="assign") for name, content in contents.items()}
    )
