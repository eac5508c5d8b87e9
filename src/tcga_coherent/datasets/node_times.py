"""How long the nodes of an environment took, each in its last run."""

import json
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd
from kedro.io import AbstractDataset

from tcga_coherent.datasets.atomic import replace_when_whole


class NodeTime(TypedDict):
    """Time that one run of a node took."""

    node: str
    pipeline: str
    seconds: float
    finished: str


class NodeTimesDataset(AbstractDataset[NodeTime, pd.DataFrame]):
    """A folder with a small JSON file a node, so that a partial run keeps the times of the others.

    Parameters
    ----------
    path
        The folder.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return one row a node in the order they finished; none where there is no folder.

        Returns
        -------
        DataFrame
            Columns ``node``, ``pipeline``, ``seconds``, ``finished`` (UTC, ISO 8601).
        """
        records = [
            json.loads(file.read_text(encoding="utf-8")) for file in self._path.glob("*.json")
        ]
        times = pd.DataFrame(records, columns=list(NodeTime.__annotations__))
        return times.sort_values(["finished", "node"], ignore_index=True)

    def save(self, data: NodeTime) -> None:
        """Write the time of one node, in the place of its former one."""
        with replace_when_whole(self._path / f"{data['node']}.json") as partial:
            partial.write_text(json.dumps(data), encoding="utf-8")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
