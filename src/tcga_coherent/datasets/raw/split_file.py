"""A split of the user's own."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.parquet_table import read_parquet_table
from tcga_coherent.datasets.raw.text_files import require_file, resolve_in_project, separator
from tcga_coherent.omics.patients.splits import SPLITS

COLUMNS = ("patient_id", "split")


class SplitFileDataset(Raw, AbstractDataset[None, pd.DataFrame]):
    """A table of ``patient_id`` and ``split`` (train, val, test), text or parquet.

    Parameters
    ----------
    filepath
        The file; None where the split is drawn.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(self, *, filepath: str | None, metadata: dict[str, Any] | None = None) -> None:
        self._path = None if filepath is None else resolve_in_project(filepath)
        self.metadata = metadata

    def raw_files(self) -> dict[str, Path]:
        """Return the file."""
        return {} if self._path is None or not self._path.is_file() else {"split": self._path}

    def load(self) -> pd.DataFrame:
        """Return the split, index ``patient_id``; empty where there is no file.

        Raises
        ------
        DatasetError
            When the file is absent or lacks a column, names a patient twice, or another part.
        """
        if self._path is None:
            return pd.DataFrame()
        require_file(self._path, "Name it with --params split_file=FILE.")
        if self._path.suffix == ".parquet":
            table = read_parquet_table(self._path).reset_index()
        else:
            table = pd.read_csv(
                self._path, sep=separator(self._path), dtype=str, keep_default_na=False
            )
        absent = [name for name in COLUMNS if name not in table]
        if absent:
            raise DatasetError(
                f"{self._path} has no column {' and no '.join(absent)}, but {', '.join(map(str, table.columns))}."
            )
        patients = table["patient_id"].astype(str)
        twice = patients[patients.duplicated()]
        if len(twice):
            raise DatasetError(
                f"{self._path} names the patient {twice.iloc[0]} twice: keep one line."
            )
        other = ~table["split"].isin(SPLITS)
        if other.any():
            raise DatasetError(
                f"{self._path} puts {patients[other].iloc[0]} into {table['split'][other].iloc[0]!r}: write "
                f"{', '.join(SPLITS)}."
            )
        return table.set_index(patients.rename("patient_id"))[["split"]]

    def _describe(self) -> dict[str, Any]:
        return {"filepath": None if self._path is None else str(self._path)}
