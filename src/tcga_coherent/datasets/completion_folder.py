"""The folder that a user gets: patients completed, all of one batch or nothing."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from kedro.utils import find_kedro_project

from tcga_coherent import __version__
from tcga_coherent.datasets.atomic import replace_when_whole
from tcga_coherent.datasets.completion_page import PAGE_FILE, completion_page
from tcga_coherent.datasets.identity import hash_files
from tcga_coherent.datasets.mudata_file import H5MU_FILE, to_mudata
from tcga_coherent.datasets.raw.annotated import require_scverse
from tcga_coherent.datasets.raw.text_files import resolve_in_project

# Lists the files that belong to a completion; whatever else lies there is not ours to replace.
MANIFEST = "completion.json"
FLAGS = "flags"
# Layers of the data folder that hold no completion: what lies there is passed on, or read by other runs.
RESULTS = "07_model_output"
EXAMPLES = 3

# Yields ``<part>/<modality>`` and ``flags`` to frame, a block of patients at a time.
Blocks = Callable[[], Iterator[Mapping[str, pd.DataFrame]]]


class CompletionFolderDataset(AbstractDataset[Blocks, pd.DataFrame]):
    """Parquet files ``<part>/<modality>.parquet`` and ``flags.parquet``, with a list of them.

    The folder is written beside its place and exchanged as a whole. Files that are none of a completion are
    never touched.

    Parameters
    ----------
    folder
        Where patients are completed to; ``~`` is the home folder.
    h5mu
        Whether ``completed.h5mu`` is written too, of all patients at once: it takes as much memory.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self, *, folder: str, h5mu: bool = False, metadata: dict[str, Any] | None = None
    ) -> None:
        if h5mu:
            require_scverse(Path(H5MU_FILE))
        self._path = folder
        self._h5mu = h5mu
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return the flags of the completion that lies there, without rows where there is none.

        Raises
        ------
        DatasetError
            When the folder is none that a completion may take the place of.
        """
        folder = self._folder()
        foreign = _foreign_files(folder)
        if foreign:
            more = f" and {len(foreign) - EXAMPLES} more" if len(foreign) > EXAMPLES else ""
            raise DatasetError(
                f"completion.output_dir, {folder}, holds {', '.join(foreign[:EXAMPLES])}{more}, which no "
                f"completion wrote: name an empty or new folder, for nothing of yours is ever replaced."
            )
        flags = folder / f"{FLAGS}.parquet"
        return pd.read_parquet(flags) if flags.is_file() else pd.DataFrame({"patient_id": []})

    def save(self, data: Blocks) -> None:
        """Write all parts and exchange the folder.

        Parameters
        ----------
        data
            Makes the blocks of patients, each of which is written before the next is made.
        """
        self.load()  # refuses what is not to be replaced
        folder = self._folder()
        with replace_when_whole(folder) as partial:
            names = _write_blocks(partial, data())
            names += _write_views(partial, names, self._h5mu)
            flags = pd.read_parquet(partial / f"{FLAGS}.parquet", columns=["patient_id"])
            manifest = {
                "version": __version__,
                "n_patients": int(flags["patient_id"].nunique()),
                "sha256": hash_files({name: partial / name for name in names}),
            }
            (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")

    def _folder(self) -> Path:
        """Return the folder, refusing places that are no folder of the user's."""
        given = self._path
        if not given.strip():
            raise DatasetError("completion.output_dir is empty: name a new folder.")
        if "$" in given:
            raise DatasetError(
                f"completion.output_dir, {given}, holds a $: variables of the shell are not replaced "
                f"here. Write the folder out."
            )
        folder = resolve_in_project(str(Path(given).expanduser())).resolve()
        if folder.exists() and not folder.is_dir():
            raise DatasetError(f"completion.output_dir, {folder}, is a file: name a new folder.")
        project = find_kedro_project(Path.cwd())
        data = (project / "data").resolve() if project else None
        if data and folder.is_relative_to(data) and not folder.is_relative_to(data / RESULTS):
            raise DatasetError(
                f"completion.output_dir, {folder}, lies among the project's own data: name a folder "
                f"below data/{RESULTS}, or outside of data."
            )
        return folder

    def _exists(self) -> bool:
        # The input may be another batch by now, and completing is quick.
        return False

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._path}


def _foreign_files(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    manifest = folder / MANIFEST
    known = {MANIFEST}
    if manifest.is_file():
        try:
            known |= set(json.loads(manifest.read_text(encoding="utf-8"))["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{manifest} is damaged ({error}): name another folder.") from error
    found = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())
    return sorted(name for name in found if name not in known)


def _write_views(folder: Path, names: list[str], h5mu: bool) -> list[str]:
    """Write what is made of the tables when all patients are there, and return the names of the files."""
    shown = [f"{name}.parquet" for name in (FLAGS, "predictions", "priorities", "provenance")]
    tables = {
        name.removesuffix(".parquet"): pd.read_parquet(folder / name)
        for name in (names if h5mu else shown)
    }
    row = tables.pop("provenance").astype(object).iloc[0]
    provenance = {str(key): value for key, value in row.items()}
    (folder / PAGE_FILE).write_text(completion_page(tables, provenance), encoding="utf-8")
    if not h5mu:
        return [PAGE_FILE]
    to_mudata(tables, provenance).write(folder / H5MU_FILE)
    return [PAGE_FILE, H5MU_FILE]


def _write_blocks(folder: Path, blocks: Iterator[Mapping[str, pd.DataFrame]]) -> list[str]:
    """Write each table of the blocks to a file of its own, and return the names of the files."""
    writers: dict[str, pq.ParquetWriter] = {}
    nobody: dict[str, pd.DataFrame] = {}
    with ExitStack() as stack:
        for block in blocks:
            for name, frame in block.items():
                if frame.empty:
                    # Nobody has no name, and so no type of names.
                    nobody[name] = frame
                    continue
                table = pa.Table.from_pandas(
                    frame, preserve_index=not isinstance(frame.index, pd.RangeIndex)
                )
                if name not in writers:
                    file = folder / f"{name}.parquet"
                    file.parent.mkdir(parents=True, exist_ok=True)
                    writers[name] = stack.enter_context(pq.ParquetWriter(file, table.schema))
                writers[name].write_table(table.cast(writers[name].schema))
    for name in nobody.keys() - writers.keys():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        nobody[name].to_parquet(folder / f"{name}.parquet")
    return [f"{name}.parquet" for name in {**writers, **nobody}]
