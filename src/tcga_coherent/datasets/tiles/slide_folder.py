"""Whole-slide images in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.histology.tiling.slides import SlideFolder

# Of formats that openslide reads as one file.
SUFFIXES = (".svs", ".tif", ".tiff", ".ndpi", ".scn", ".bif", ".vms", ".mrxs")


class SlideFolderDataset(Raw, AbstractDataset[None, SlideFolder]):
    """All slides of a folder and of the folders in it.

    Parameters
    ----------
    folder
        The folder.
    suffixes
        Of the files that are slides.
    hint
        How to point at another folder, added to the error where there is none.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        folder: str,
        suffixes: Sequence[str] = SUFFIXES,
        hint: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = resolve_in_project(folder)
        self._suffixes = tuple(suffixes)
        self._hint = hint
        self.metadata = metadata

    def load(self) -> SlideFolder:
        """Return the slides by the names of their files.

        Raises
        ------
        DatasetError
            When there is none, or two are of one name.
        """
        files: dict[str, Path] = {}
        for file in self._files():
            if file.stem in files:
                raise DatasetError(
                    f"{file} and {files[file.stem]} are of one name: rename or remove one of them."
                )
            files[file.stem] = file
        if not files:
            raise DatasetError(
                f"{self._folder} holds no slide ({', '.join(self._suffixes)}). {self._hint}".strip()
            )
        return SlideFolder(files)

    def _files(self) -> list[Path]:
        return sorted(f for f in self._folder.rglob("*") if f.suffix.lower() in self._suffixes)

    def raw_files(self) -> dict[str, Path]:
        """Return the slides."""
        return {file.relative_to(self._folder).as_posix(): file for file in self._files()}

    def save(self, data: None) -> None:
        """Refuse: raw data are never written."""
        raise DatasetError(f"{type(self).__name__} is read-only.")

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
