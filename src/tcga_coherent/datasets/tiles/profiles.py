"""Expression profiles that tiles are drawn from, and who their patients are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.matrix import Orientation, read_matrix
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.datasets.tiles.ready_tiles import read_table_file


class _ReadOnlyTable(Raw, AbstractDataset[None, pd.DataFrame]):
    def __init__(
        self, *, filepath: str, hint: str = "", metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = resolve_in_project(filepath)
        self._hint = hint
        self.metadata = metadata

    def raw_files(self) -> dict[str, Path]:
        """Return the file."""
        return {"table": self._filepath} if self._filepath.is_file() else {}

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class ExpressionDataset(_ReadOnlyTable):
    """A matrix of genes and patients; see :func:`tcga_coherent.datasets.raw.matrix.read_matrix`.

    Parameters
    ----------
    filepath, hint, metadata
        Of the file.
    orientation
        ``features_by_samples`` or ``samples_by_features``.
    """

    def __init__(self, *, orientation: Orientation = "features_by_samples", **options: Any) -> None:
        super().__init__(**options)
        self._orientation = orientation

    def load(self) -> pd.DataFrame:
        """Return patients x genes, as measured."""
        matrix = read_matrix(self._filepath, self._orientation, self._hint)
        return matrix.rename_axis(index="patient_id", columns="gene")


class PatientGroupsDataset(_ReadOnlyTable):
    """A table with the cancer type of each patient, and what must not be torn apart by the split.

    Parameters
    ----------
    filepath, hint, metadata
        Of the file, parquet or CSV; a patient may have several rows.
    columns
        What ``patient_id``, ``cancer_type`` and ``group`` are called there. Without a ``group`` every patient is
        one; without a ``cancer_type`` all are of one type.
    """

    def __init__(self, *, columns: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._columns = {"patient_id": "patient_id", **(columns or {})}

    def load(self) -> pd.DataFrame:
        """Return ``cancer_type`` and ``group`` by ``patient_id``.

        Raises
        ------
        DatasetError
            When a column is missing, or a patient has two types or groups.
        """
        table = read_table_file(self._filepath, self._hint)
        if "patient_id" not in table and table.index.name == "patient_id":
            table = table.reset_index()
        missing = [name for name in self._columns.values() if name not in table]
        if missing:
            raise DatasetError(
                f"{self._filepath} has no column {missing[0]!r}, but {', '.join(map(str, table.columns))}: say in "
                f"`columns` of the catalog entry what it is called there."
            )
        found = {name: table[own].to_numpy() for name, own in self._columns.items()}
        groups = pd.DataFrame(found).astype(str).drop_duplicates()
        twice = groups["patient_id"][groups["patient_id"].duplicated()]
        if len(twice):
            raise DatasetError(
                f"{self._filepath} gives {twice.iloc[0]} two types or groups: keep one of them."
            )
        groups = groups.set_index("patient_id")
        if "cancer_type" not in groups:
            groups["cancer_type"] = "all"
        if "group" not in groups:
            groups["group"] = groups.index
        return groups[["cancer_type", "group"]]
