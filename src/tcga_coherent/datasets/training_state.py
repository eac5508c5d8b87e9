"""State of a training that may be interrupted at any time."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from safetensors import safe_open

from tcga_coherent.datasets.atomic import replace_when_whole
from tcga_coherent.datasets.checkpoint import Checkpoint, serialise


class TrainingStateDataset(AbstractDataset[Checkpoint, Checkpoint]):
    """A :class:`Checkpoint` in one file, so that weights and counters never disagree.

    Where there is no file yet an empty checkpoint is loaded. A state whose metadata does not say
    ``finished`` does not exist for ``kedro run --only-missing-outputs``, which then goes on with
    the training.

    Parameters
    ----------
    filepath
        Path of the ``.safetensors`` file; the metadata lie in its header.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Checkpoint:
        """Read the state, empty where there is none."""
        if not self._filepath.is_file():
            return Checkpoint({})
        with safe_open(self._filepath, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Checkpoint(arrays, json.loads(file.metadata()["json"]))

    def save(self, data: Checkpoint) -> None:
        """Replace the state."""
        with replace_when_whole(self._filepath) as partial:
            partial.write_bytes(serialise(data.arrays, {"json": json.dumps(data.metadata)}))

    def _exists(self) -> bool:
        return bool(self.load().metadata.get("finished"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
