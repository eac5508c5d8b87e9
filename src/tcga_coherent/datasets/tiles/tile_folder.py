"""Tiles as PNG files in folders, for whoever wants to look at them."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from tcga_coherent.datasets.atomic import AtomicParquetDataset, remove, replace_when_whole
from tcga_coherent.datasets.identity import IdentifiedFolder, files_below
from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore

BATCH, INDEX = "batch.json", "index.parquet"


class TileFolder(TileStore):
    """Tiles of PNG files, ``<batch>/<number>.png``.

    Parameters
    ----------
    path
        The folder; one that is not there holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def batches(self) -> dict[str, dict[str, Any]]:
        """Batch to what is stored of it."""
        files = sorted(self._path.glob(f"*/{BATCH}"))
        return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in files}

    @cached_property
    def index(self) -> pd.DataFrame:
        """A row a tile, by its number over all batches, with the ``file`` in the folder."""
        frames = [
            pd.DataFrame(batch["rows"]).assign(
                batch=name,
                file=[f"{name}/{n:05d}.png" for n in range(len(batch["rows"]["patient_id"]))],
            )
            for name, batch in self.batches.items()
        ]
        return pd.concat(frames, ignore_index=True).rename_axis("tile")

    def read_encoded(self, tile: int) -> bytes:
        """Return the file of a tile."""
        return (self._path / str(self.index.loc[tile, "file"])).read_bytes()


class TileFolderDataset(IdentifiedFolder, AbstractDataset[TileBatch | AllBatches, TileFolder]):
    """A folder of PNG files with ``index.parquet``; a batch is there whole or not at all.

    Parameters
    ----------
    path
        The folder.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def identified_files(self) -> dict[str, Path]:
        """Return all files of a folder that is complete."""
        return files_below(self._path) if (self._path / INDEX).is_file() else {}

    def load(self) -> TileFolder:
        """Return the folder; an empty one where there is none."""
        return TileFolder(self._path)

    def save(self, data: TileBatch | AllBatches) -> None:
        """Add a batch in the place of one of the same name, or end with the names of all."""
        index = self._path / INDEX
        if isinstance(data, AllBatches):
            for file in self._path.glob(f"*/{BATCH}"):
                if file.parent.name not in data.names:
                    remove(file.parent)
            AtomicParquetDataset(filepath=str(index)).save(TileFolder(self._path).index)
            return
        index.unlink(missing_ok=True)
        with replace_when_whole(self._path / data.name) as partial:
            partial.mkdir()
            for number, image in enumerate(data.images):
                (partial / f"{number:05d}.png").write_bytes(image)
            stored = {
                "identity": data.identity,
                "rows": data.rows.to_dict("list"),
                "report": dict(data.report),
            }
            (partial / BATCH).write_text(json.dumps(stored), encoding="utf-8")
