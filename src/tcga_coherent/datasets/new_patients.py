"""A user's own patients: a folder with one matrix a modality."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.text_files import resolve_in_project

Loaders = dict[str, Callable[[], pd.DataFrame]]


class NewPatientsDataset(AbstractDataset[None, Loaders]):
    """The ``<modality>.parquet`` files of a folder, read one at a time and as found.

    Parameters
    ----------
    folder
        Holds any of the modalities' files, laid out as the raw matrices.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(self, *, folder: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = resolve_in_project(folder)
        self.metadata = metadata

    def load(self) -> Loaders:
        """Return modality to a function that reads its file."""
        files = sorted(self._folder.glob("*.parquet"))
        if not files:
            what = "holds no .parquet file" if self._folder.is_dir() else "does not exist"
            raise DatasetError(
                f"The folder of new patients {self._folder} {what}: put one <modality>.parquet for each "
                f"modality there, laid out as the raw matrices, or name another folder with --params "
                f"completion.input_dir=FOLDER."
            )
        return {file.stem: partial(_read, file) for file in files}

    def save(self, data: None) -> None:
        """Refuse: raw data are never written."""
        raise DatasetError(f"{type(self).__name__} is read-only.")

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}


def _read(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(
            f"{file} is truncated or not parquet ({error}): copy it again."
        ) from error
