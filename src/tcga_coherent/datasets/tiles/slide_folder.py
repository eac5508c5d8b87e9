"""Whole-slide images in a folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw, hash_files
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.histology.tiling.parameters import TileFilters, TilingParameters
from tcga_coherent.histology.tiling.slides import cut_slide, overview_of
from tcga_coherent.histology.tiling.source import CutSlide, Overview

# Of formats that openslide reads as one file.
SUFFIXES = (".svs", ".tif", ".tiff", ".ndpi", ".scn", ".bif", ".vms", ".mrxs")


class SlideFolder:
    """A :class:`~tcga_coherent.histology.tiling.source.TileSource` of slides that openslide reads.

    Parameters
    ----------
    files
        Name to file of each slide.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)

    @property
    def slides(self) -> Sequence[str]:
        """Names of the slides."""
        return list(self._files)

    def fingerprint(self, slide: str) -> str:
        """Return a digest of the file."""
        return hash_files({slide: self._files[slide]})[slide]

    def cut(self, slide: str, parameters: TilingParameters) -> CutSlide:
        """Return the tiles of a slide.

        Raises
        ------
        ValueError
            When it cannot be read or used.
        """
        with self._opened(slide) as opened:
            return cut_slide(opened, slide, parameters)

    def overview(self, slide: str, filters: TileFilters) -> Overview:
        """Return a small image of a slide, with its mask."""
        with self._opened(slide) as opened:
            return overview_of(opened, filters)

    @contextmanager
    def _opened(self, slide: str) -> Iterator[Any]:
        import openslide

        file = self._files[slide]
        try:
            with openslide.OpenSlide(str(file)) as opened:
                yield opened
        except (openslide.OpenSlideError, FileNotFoundError) as error:
            raise ValueError(
                f"The slide {file} cannot be read ({error}): it is damaged or in a format that openslide does not "
                f"know. Copy it again."
            ) from error


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

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
