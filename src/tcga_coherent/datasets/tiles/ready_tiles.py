"""Tiles that were cut elsewhere, with an index of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.parquet_table import read_parquet_table
from tcga_coherent.datasets.raw.text_files import require_file, resolve_in_project
from tcga_coherent.histology.tiling.ready import COLUMNS, ReadyTiles


class ReadyTilesDataset(Raw, AbstractDataset[None, ReadyTiles]):
    """An index of tiles, parquet or CSV, with the images in it or in files beside it.

    Parameters
    ----------
    filepath
        Of the index: a row a tile with the columns ``slide``, ``patient_id``, ``x``, ``y``, and ``image``, either
        encoded images or names of files, relative to the folder of the index.
    columns
        What those are called in the file, where they go by other names.
    where
        Column to value: rows with another one are left out.
    hint
        How to get the file, added to the error when it is absent.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        filepath: str,
        columns: Mapping[str, str] | None = None,
        where: Mapping[str, Any] | None = None,
        hint: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = resolve_in_project(filepath)
        self._columns = {name: name for name in COLUMNS} | dict(columns or {})
        self._where = dict(where or {})
        self._hint = hint
        self.metadata = metadata

    def load(self) -> ReadyTiles:
        """Read the index.

        Raises
        ------
        DatasetError
            When it or an image is absent, or a column is missing.
        """
        tiles = self._rows()
        if _are_names(tiles["image"]):
            folder = self._filepath.parent
            tiles["image"] = [_read(folder / name, self._filepath) for name in tiles["image"]]
        return ReadyTiles(tiles)

    def _rows(self) -> pd.DataFrame:
        table = read_table_file(self._filepath, self._hint)
        wanted = [*self._columns.values(), *self._where]
        missing = [name for name in wanted if name not in table]
        if missing:
            raise DatasetError(
                f"{self._filepath} has no column {missing[0]!r}, but {', '.join(map(str, table.columns))}: say in "
                f"`columns` of the catalog entry what {', '.join(COLUMNS)} are called there."
            )
        for name, value in self._where.items():
            table = table[table[name] == value]
        if table.empty:
            raise DatasetError(f"{self._filepath} has no tile with {self._where}.")
        renamed = {name: table[own].to_numpy() for name, own in self._columns.items()}
        return pd.DataFrame(renamed).astype({"slide": str, "patient_id": str})

    def raw_files(self) -> dict[str, Path]:
        """Return the index, and the images that lie beside it."""
        if not self._filepath.is_file():
            return {}
        images = self._rows()["image"]
        names = list(images) if _are_names(images) else list[str]()
        return {"tiles": self._filepath} | {n: self._filepath.parent / n for n in names}

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def read_table_file(path: Path, hint: str) -> pd.DataFrame:
    """Read a table, parquet by its suffix, else CSV."""
    require_file(path, hint)
    return read_parquet_table(path) if path.suffix == ".parquet" else pd.read_csv(path)


def _are_names(images: pd.Series) -> bool:
    return isinstance(images.iloc[0], str)


def _read(path: Path, index: Path) -> bytes:
    if not path.is_file():
        raise DatasetError(f"{index} names the tile {path}, which is not there: restore it.")
    return path.read_bytes()
