"""Fitted models as safetensors weights with a JSON description beside them."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from safetensors.numpy import load_file, save

from tcga_coherent.datasets.atomic import replace_when_whole


@dataclass(frozen=True)
class Checkpoint:
    """Arrays of a fitted model and the JSON-serialisable facts about it."""

    arrays: dict[str, np.ndarray]
    metadata: dict[str, Any] = field(default_factory=dict)


def serialise(arrays: dict[str, np.ndarray], header: dict[str, str] | None = None) -> bytes:
    """Return arrays in the safetensors format.

    Parameters
    ----------
    arrays
        Arrays by name.
    header
        Text to store in the header.
    """
    # safetensors takes the raw buffer: an array that is not contiguous would be scrambled.
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, header)


class CheckpointDataset(AbstractDataset[Checkpoint, Checkpoint]):
    """A :class:`Checkpoint` as ``<name>.safetensors`` and ``<name>.json``.

    The JSON is renamed into place first, so a checkpoint whose weights exist is whole.

    Parameters
    ----------
    filepath
        Path of the ``.safetensors`` file.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Checkpoint:
        """Read weights and description."""
        description = self._filepath.with_suffix(".json")
        if not description.is_file():
            raise DatasetError(
                f"{self._filepath} has no description {description.name} beside it. "
                f"Copy both files, or train the model again."
            )
        return Checkpoint(
            arrays=load_file(self._filepath),
            metadata=json.loads(description.read_text(encoding="utf-8")),
        )

    def save(self, data: Checkpoint) -> None:
        """Write weights and description."""
        with replace_when_whole(self._filepath.with_suffix(".json")) as partial:
            partial.write_text(json.dumps(data.metadata, indent=1) + "\n", encoding="utf-8")
        with replace_when_whole(self._filepath) as partial:
            partial.write_bytes(serialise(data.arrays))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
