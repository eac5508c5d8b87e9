"""Results of the repeats of an experiment, kept one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from tcga_coherent.datasets.atomic import AtomicParquetDataset, remove
from tcga_coherent.datasets.identity import IdentifiedFolder
from tcga_coherent.repeats import COMPLETE


class RepeatsDataset(
    IdentifiedFolder, AbstractDataset[dict[str, pd.DataFrame], dict[str, Callable[[], Any]]]
):
    """A folder with a parquet file for each repeat, in a subfolder named by what they depend on.

    Saving adds the given repeats and removes those of other data or parameters. It also removes what
    was complete before, unless it is saved again: repeats that were added are not in it. Repeats that
    are not all there do not exist for ``kedro run --only-missing-outputs``, which then goes on with
    them.

    Parameters
    ----------
    path
        The folder.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def identified_files(self) -> dict[str, Path]:
        """Return the file of all repeats together."""
        return {
            f"{file.parent.name}/{file.stem}": file
            for file in sorted(self._path.glob(f"*/{COMPLETE}.parquet"))
        }

    def load(self) -> dict[str, Callable[[], pd.DataFrame]]:
        """Return ``<identity>/<repeat>`` to a function that loads it; empty where there is none."""
        return {
            f"{file.parent.name}/{file.stem}": AtomicParquetDataset(filepath=str(file)).load
            for file in sorted(self._path.glob("*/*.parquet"))
        }

    def save(self, data: dict[str, pd.DataFrame]) -> None:
        """Write each repeat to its file; of none, only what was complete goes."""
        for complete in self._path.glob(f"*/{COMPLETE}.parquet"):
            if f"{complete.parent.name}/{COMPLETE}" not in data:
                remove(complete)
        for name, frame in data.items():
            file = self._path / f"{name}.parquet"
            for other in self._path.glob("*"):
                if other != file.parent:
                    remove(other)
            AtomicParquetDataset(filepath=str(file)).save(frame)
