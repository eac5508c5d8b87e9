"""Tiles in an LMDB database, keyed by number."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import IdentifiedFolder
from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore

# Addresses that are reserved, not space on disk.
MAP_SIZE = 2**40
TILES, BATCHES, FINISHED = b"tiles", b"batches", "finished"
DATA = "data.mdb"

# A process must not open a database twice. Opening takes a tenth of a millisecond, half of what decoding a small
# tile takes, so that none is kept open.
_one_at_a_time = Lock()


@contextmanager
def _transaction(path: Path, write: bool) -> Iterator[Any]:
    """Yield a transaction and the two tables; an error leaves the database as it was."""
    import lmdb

    try:
        with (
            _one_at_a_time,
            lmdb.open(
                str(path), map_size=MAP_SIZE, max_dbs=2, readonly=not write, lock=write
            ) as database,
        ):
            tiles, batches = (database.open_db(name, create=write) for name in (TILES, BATCHES))
            with database.begin(write=write) as transaction:
                yield transaction, tiles, batches
    except lmdb.Error as error:
        raise DatasetError(
            f"{path} is damaged or no database of tiles ({error}): delete it and run slide_tiling again."
        ) from error


class TileDatabase(TileStore):
    """Tiles in LMDB.

    Parameters
    ----------
    path
        Folder of the database; one that is not there holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def batches(self) -> dict[str, dict[str, Any]]:
        """Batch to what is stored of it."""
        if not (self._path / DATA).is_file():
            return {}
        with _transaction(self._path, write=False) as (transaction, _, batches):
            return {
                key.decode(): json.loads(value) for key, value in transaction.cursor(db=batches)
            }

    @cached_property
    def index(self) -> pd.DataFrame:
        """A row a tile, by its number."""
        frames = [
            pd.DataFrame(batch["rows"]).assign(
                batch=name, tile=range(batch["first"], batch["first"] + batch["n"])
            )
            for name, batch in self.batches.items()
            if batch["n"]
        ]
        if not frames:
            return pd.DataFrame({"batch": [], "patient_id": []}, index=pd.Index([], name="tile"))
        return pd.concat(frames).set_index("tile").sort_index()

    def read_encoded(self, tile: int) -> bytes:
        """Return the encoded image of a tile.

        Raises
        ------
        KeyError
            When there is no such tile.
        """
        with _transaction(self._path, write=False) as (transaction, tiles, _):
            found = transaction.get(_key(tile), db=tiles)
        if found is None:
            raise KeyError(f"{self._path} has no tile {tile}: run slide_tiling again.")
        return bytes(found)


class TileDatabaseDataset(IdentifiedFolder, AbstractDataset[TileBatch | AllBatches, TileDatabase]):
    """Tiles in LMDB: each batch is a transaction, and what is there survives any kill.

    Parameters
    ----------
    path
        Folder of the database.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def identified_files(self) -> dict[str, Path]:
        """Return the file of a database that is complete."""
        complete = (self._path / FINISHED).is_file()
        return {DATA: self._path / DATA} if complete and (self._path / DATA).is_file() else {}

    def load(self) -> TileDatabase:
        """Return the database; an empty one where there is none."""
        return TileDatabase(self._path)

    def save(self, data: TileBatch | AllBatches) -> None:
        """Add a batch in the place of one of the same name, or end with the names of all."""
        self._path.mkdir(parents=True, exist_ok=True)
        if isinstance(data, AllBatches):
            surplus = set(TileDatabase(self._path).identities) - set(data.names)
            if surplus:
                with _transaction(self._path, write=True) as (transaction, tiles, batches):
                    for name in surplus:
                        _delete(transaction, tiles, batches, name)
            (self._path / FINISHED).touch()
            return
        (self._path / FINISHED).unlink(missing_ok=True)
        with _transaction(self._path, write=True) as (transaction, tiles, batches):
            _delete(transaction, tiles, batches, data.name)
            cursor = transaction.cursor(db=tiles)
            first = int.from_bytes(cursor.key(), "big") + 1 if cursor.last() else 0
            for number, image in enumerate(data.images, first):
                transaction.put(_key(number), image, db=tiles)
            stored = {
                "identity": data.identity,
                "first": first,
                "n": len(data.images),
                "rows": data.rows.to_dict("list"),
                "report": dict(data.report),
            }
            transaction.put(data.name.encode(), json.dumps(stored).encode(), db=batches)


def _key(tile: int) -> bytes:
    return tile.to_bytes(8, "big")


def _delete(transaction: Any, tiles: Any, batches: Any, name: str) -> None:
    stored = transaction.pop(name.encode(), db=batches)
    if stored is not None:
        batch = json.loads(stored)
        for number in range(batch["first"], batch["first"] + batch["n"]):
            transaction.delete(_key(number), db=tiles)
