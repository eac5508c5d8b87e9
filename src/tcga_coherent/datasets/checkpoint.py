"""Fitted models in the safetensors format, with a JSON description in the header."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from tcga_coherent.datasets.atomic import replace_when_whole
from tcga_coherent.datasets.identity import Identified

HEADER_KEY = "json"


@dataclass(frozen=True)
class Checkpoint:
    """Arrays of a fitted model and the JSON-serialisable facts about it."""

    arrays: dict[str, np.ndarray]
    metadata: dict[str, Any] = field(default_factory=dict)


class CheckpointDataset(Identified, AbstractDataset[Checkpoint, Checkpoint]):
    """A :class:`Checkpoint` in one file, so that weights and description never disagree.

    Parameters
    ----------
    filepath
        Path of the ``.safetensors`` file; the metadata lie in its header.
    optional
        Whether those who read it go on without it, with an empty checkpoint, where it is not of what is at hand.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self, *, filepath: str, optional: bool = False, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = Path(filepath)
        self.optional = optional
        self.metadata = metadata

    @property
    def identified_path(self) -> Path:
        """The file."""
        return self._filepath

    def load(self) -> Checkpoint:
        """Read weights and description.

        Raises
        ------
        DatasetError
            When the file is damaged or none of this project's.
        """
        if self.optional and not self._exists():
            return Checkpoint({})
        return read_checkpoint(self._filepath)

    def save(self, data: Checkpoint) -> None:
        """Write weights and description."""
        with replace_when_whole(self._filepath) as partial:
            partial.write_bytes(checkpoint_bytes(data))

    def _exists(self) -> bool:
        return not self.outdated and self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a file as :class:`CheckpointDataset` does; errors are the same."""
    try:
        # Names are not the keys of a mapping here: the file has no iterator.
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Checkpoint(arrays, json.loads((file.metadata() or {})[HEADER_KEY]))
    except (SafetensorError, KeyError, ValueError) as error:
        what = (
            "holds no description in its header, as those of an older version do"
            if isinstance(error, KeyError)
            else f"is damaged ({error})"
        )
        raise DatasetError(
            f"{path} {what}: run the pipeline that makes it again, or copy it anew."
        ) from error


def checkpoint_bytes(checkpoint: Checkpoint) -> bytes:
    """Return the content of a checkpoint's file: equal checkpoints have equal bytes."""
    # safetensors takes the raw buffer: an array that is not contiguous would be scrambled.
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    return save(arrays, {HEADER_KEY: json.dumps(checkpoint.metadata)})
