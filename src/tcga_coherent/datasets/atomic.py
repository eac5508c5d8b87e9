"""Datasets that are either written whole or not at all.

Each writes to a temporary name beside its target and renames, so that a run
that is killed, or a disk that is full, leaves the former file or none.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from kedro.io.core import DatasetError
from kedro_datasets.matplotlib import MatplotlibDataset
from kedro_datasets.pandas import CSVDataset, ParquetDataset
from kedro_datasets.partitions import PartitionedDataset
from kedro_datasets.text import TextDataset

from tcga_coherent.datasets.csv_table import disarm_formulas, read_table
from tcga_coherent.datasets.identity import Identified
from tcga_coherent.datasets.raw.parquet_table import read_parquet_table
from tcga_coherent.figures.attempt import attempt
from tcga_coherent.figures.drawing import Drawing, draw_reason, render

PARTIAL_SUFFIX = ".partial"


@contextmanager
def replace_when_whole(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that takes its place on success.

    Parameters
    ----------
    target
        File or directory to write. Its parents are created.

    Raises
    ------
    DatasetError
        When the folder of `target` cannot be written.
    """
    partial = target.with_name(target.name + PARTIAL_SUFFIX)
    former = target.with_name(target.name + ".former")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove(partial)
        if former.is_dir() and not target.exists():
            # A folder was to be exchanged when the process was killed.
            former.rename(target)
        yield partial
        if target.is_dir():
            remove(former)
            target.rename(former)
            partial.rename(target)
            remove(former)
        elif partial.exists():
            os.replace(partial, target)
    except OSError as error:
        # Where the folder's parent is a file, not even the look for leftovers succeeds.
        with suppress(OSError):
            remove(partial)
        raise DatasetError(
            f"Cannot write {target}: {error.strerror or error}. Make the folder writable, free some "
            f"space, or point the run at another folder."
        ) from error
    except BaseException:
        remove(partial)
        raise


def remove(path: Path) -> None:
    """Delete a file or a directory tree; do nothing where there is none."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class _AtomicSave(Identified):
    """Redirect the save path of a kedro-datasets dataset to a temporary name."""

    _partial_path: Path | None = None
    _filepath: PurePosixPath

    @property
    def identified_path(self) -> Path:
        """The file."""
        return Path(self._filepath)

    def _exists(self) -> bool:
        return not self.outdated and bool(super()._exists())  # type: ignore[misc]

    def _get_save_path(self) -> PurePosixPath:
        if self._partial_path is not None:
            return PurePosixPath(self._partial_path)
        return super()._get_save_path()  # type: ignore[misc]

    def _save_whole(self, save: Any, data: Any) -> None:
        with replace_when_whole(Path(self._get_save_path())) as partial:
            self._partial_path = partial
            try:
                save(data)
            finally:
                self._partial_path = None


class AtomicParquetDataset(_AtomicSave, ParquetDataset):
    """``pandas.ParquetDataset`` that is written whole or not at all, and read with memory linear in its columns."""

    def load(self) -> pd.DataFrame:
        """Read the file, index included."""
        return read_parquet_table(Path(self._get_load_path()))

    def save(self, data: pd.DataFrame) -> None:
        """Write `data` and rename it into place."""
        self._save_whole(super().save, data)


class FormerParquetDataset(AtomicParquetDataset):
    """What an earlier run left, for the node that goes on with it; an empty frame where there is none."""

    def load(self) -> pd.DataFrame:
        """Read the file, where it is there."""
        return super().load() if self.identified_path.is_file() else pd.DataFrame()


class AtomicCSVDataset(_AtomicSave, CSVDataset):
    """``pandas.CSVDataset`` that is written whole or not at all, and whose texts come back as they were.

    Names are texts whatever they look like: ``NA``, ``None`` and ``01`` stay what they are; only an
    empty cell is missing. Texts that a spreadsheet would run as a formula have an apostrophe before them
    in the file, which spreadsheets hide and :meth:`load` takes away.
    """

    def load(self) -> pd.DataFrame:
        """Read the file."""
        return read_table(Path(self._get_load_path()), **self._load_args)

    def save(self, data: pd.DataFrame) -> None:
        """Write `data` and rename it into place."""
        self._save_whole(super().save, disarm_formulas(data))


class AtomicTextDataset(_AtomicSave, TextDataset):
    """``text.TextDataset`` that is written whole or not at all, in UTF-8 whatever the locale."""

    def load(self) -> str:
        """Read the file."""
        return Path(self._get_load_path()).read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Write `data` and rename it into place."""
        with replace_when_whole(Path(self._get_save_path())) as partial:
            partial.write_text(data, encoding="utf-8", newline="\n")


class AtomicFigureDataset(_AtomicSave, MatplotlibDataset):
    """A figure as PNG and, beside it, SVG: both are written or neither.

    ``filepath`` is that of the PNG, which Kedro-Viz previews. The same figure gives the same bytes. It is
    drawn here, and one that cannot be drawn is replaced by the reason: a figure never ends a run.
    """

    @property
    def _svg_path(self) -> Path:
        return Path(self._get_load_path()).with_suffix(".svg")

    def identified_files(self) -> dict[str, Path]:
        """Return both files."""
        files = (self.identified_path, self._svg_path)
        return {file.name: file for file in files if file.is_file()}

    def save(self, data: Drawing) -> None:
        """Draw in both formats and rename them into place."""
        raster, vector = attempt(
            f"The figure {self.identified_path.stem}",
            partial(render, data, self._save_args),
            lambda reason: render(partial(draw_reason, reason), self._save_args),
        )
        with (
            replace_when_whole(self._svg_path) as svg,
            replace_when_whole(Path(self._get_save_path())) as png,
        ):
            svg.write_bytes(vector)
            png.write_bytes(raster)

    def load(self) -> str:
        """Return the SVG.

        Raises
        ------
        DatasetError
            When the figure has not been drawn, or by a version that wrote no SVG.
        """
        if not self._svg_path.is_file():
            raise DatasetError(f"{self._svg_path} does not exist: run the node that draws it.")
        return self._svg_path.read_text(encoding="utf-8")

    def _exists(self) -> bool:
        return bool(super()._exists()) and self._svg_path.is_file()


class AtomicPartitionedDataset(Identified, PartitionedDataset):
    """``PartitionedDataset`` whose folder is replaced as a whole on each save.

    Partitions of a former run never mix with those of this one, and a folder that
    exists is complete: ``kedro run --only-missing-outputs`` can rely on it.
    """

    @property
    def identified_path(self) -> Path:
        """The folder."""
        return Path(self._path)

    def identified_files(self) -> dict[str, Path]:
        """Return partition to file; what else lies in the folder is none."""
        folder, suffix = self.identified_path, self._filename_suffix
        files = sorted(folder.rglob(f"*{suffix}"))
        return {file.relative_to(folder).as_posix().removesuffix(suffix): file for file in files}

    def _exists(self) -> bool:
        return not self.outdated and bool(super()._exists())

    def save(self, data: dict[str, Any]) -> None:
        """Write every partition into a temporary folder and rename that into place."""
        target = Path(self._path)
        with replace_when_whole(target) as partial:
            partial.mkdir()
            self._path: str = str(partial)
            try:
                super().save(data)
            finally:
                self._path = str(target)
                self._invalidate_caches()
