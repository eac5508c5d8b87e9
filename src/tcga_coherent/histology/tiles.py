"""Tiles: images with a row each that says whose they are, kept in batches that are stored whole or not at all."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError


@dataclass(frozen=True, eq=False)
class TileBatch:
    """Tiles that are stored together: those of a slide, or those that were drawn at a time.

    Attributes
    ----------
    name
        Of the batch, such as the slide's.
    identity
        Digest of all that it depends on: a batch that is there with the same one is not made again.
    rows
        A row a tile; ``patient_id`` and more.
    images
        Encoded images, in the order of the rows.
    report
        What else there is to say of the batch, JSON-serialisable.
    """

    name: str
    identity: str
    rows: pd.DataFrame
    images: Sequence[bytes]
    report: Mapping[str, Any]


@dataclass(frozen=True)
class AllBatches:
    """Ends the storing of batches: these are all, and others that lie there go."""

    names: tuple[str, ...]


class TileStore(ABC):
    """Tiles that were stored."""

    @property
    @abstractmethod
    def batches(self) -> Mapping[str, Mapping[str, Any]]:
        """Batch to ``identity``, ``report``, ``rows`` (column to values) and what else the store knows of it."""

    @property
    @abstractmethod
    def index(self) -> pd.DataFrame:
        """A row a tile, by its number, ``tile``; ``batch``, and the rows of the batches."""

    @abstractmethod
    def read_encoded(self, tile: int) -> bytes:
        """Return the encoded image of a tile."""

    @property
    def identities(self) -> dict[str, str]:
        """Batch to its identity."""
        return {name: batch["identity"] for name, batch in self.batches.items()}

    @property
    def reports(self) -> dict[str, Mapping[str, Any]]:
        """Batch to what there is to say of it."""
        return {name: batch["report"] for name, batch in self.batches.items()}


def read_tiles(store: TileStore, tiles: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return images, n x height x width x 3, of tiles of one size."""
    return np.stack([decode(store.read_encoded(int(tile))) for tile in tiles])


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Return an image, height x width x 3, as a PNG file."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def decode(encoded: bytes) -> NDArray[np.uint8]:
    """Return the image, height x width x 3, of a PNG or JPEG file."""
    return np.asarray(Image.open(BytesIO(encoded)).convert("RGB"))


def check_tile(encoded: bytes, size: int, name: str) -> None:
    """Stop where an encoded tile is damaged, or none of the size of the others.

    Raises
    ------
    ValueError
        Naming the tile.
    """
    try:
        found = Image.open(BytesIO(encoded)).size
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is no image, or damaged: replace it.") from error
    if found != (size, size):
        raise ValueError(
            f"{name} has {found[0]} x {found[1]} pixels, but slide_tiling.tile_size is {size}: cut all tiles "
            f"to one size, or set the parameter to theirs."
        )
