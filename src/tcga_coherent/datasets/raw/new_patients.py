"""A user's own patients: a folder with one matrix a modality, and a clinical table."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import ReadOnly
from tcga_coherent.datasets.raw.annotated import H5AD, H5MU, read_annotated
from tcga_coherent.datasets.raw.clinical_table import read_clinical_table
from tcga_coherent.datasets.raw.matrix import read_matrix
from tcga_coherent.datasets.raw.text_files import SEPARATORS, resolve_in_project
from tcga_coherent.datasets.raw.titan import SUFFIXES, read_titan_folder

logger = logging.getLogger(__name__)

# What the files of the clinical table and of the names of features are called.
CLINICAL, FEATURE_NAMES = "clinical", "feature_names"

Loaders = dict[str, Callable[[], pd.DataFrame]]


class NewPatientsDataset(ReadOnly, AbstractDataset[None, Loaders]):
    """The matrices in a folder, read one at a time and laid out as found.

    They are parquet or text, as :func:`tcga_coherent.datasets.raw.matrix.read_matrix` reads them, ``.h5ad`` and
    ``.h5mu`` (:mod:`tcga_coherent.datasets.raw.annotated`), or folders of slide embeddings.

    Parameters
    ----------
    folder
        Holds any of the modalities' files, called as the modality, and ``clinical.<ending>`` and ``feature_names.<ending>``, read by
        :func:`tcga_coherent.datasets.raw.clinical_table.read_clinical_table`.
    width
        Length of a slide embedding.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self, *, folder: str, width: int = 768, metadata: dict[str, Any] | None = None
    ) -> None:
        self._given = folder
        self._width = width
        self.metadata = metadata

    def load(self) -> Loaders:
        """Return the name of each file or folder to a function that reads it; the rest is named in a warning.

        Raises
        ------
        DatasetError
            When the folder is absent, a file, or holds nothing that can be read.
        """
        folder = resolve_in_project(str(Path(str(self._given)).expanduser()))
        loaders: Loaders = {}
        others = []
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if _is_table(path) and path.name.split(".")[0] in {CLINICAL, FEATURE_NAMES}:
                loaders[path.name] = partial(read_clinical_table, path)
            elif _is_table(path):
                loaders[path.name] = partial(read_matrix, path, None)
            elif path.suffix in {H5AD, H5MU} and path.is_file() and not path.name.startswith("."):
                found = read_annotated(path)
                loaders |= {
                    path.name if path.suffix == H5AD else f"{name}.{path.name}": load
                    for name, load in found.items()
                }
            elif path.is_dir() and any(file.suffix.lower() in SUFFIXES for file in path.iterdir()):
                loaders[path.name] = partial(read_titan_folder, path, self._width)
            elif not path.name.startswith("."):
                others.append(path.name)
        if not loaders:
            what = "does not exist"
            if folder.exists():
                what = "holds no matrix" if folder.is_dir() else "is a file"
            raise DatasetError(
                f"The folder of new patients {folder} {what}: put one <modality>.parquet for each "
                f"modality there, laid out as the raw matrices, or name another folder with --params "
                f"completion.input_dir=FOLDER."
            )
        if others:
            logger.warning("%s holds what is NOT read: %s", folder, ", ".join(others))
        return loaders

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._given}


def _is_table(path: Path) -> bool:
    """Say whether a name ends as that of a matrix; a folder of parquet parts is refused when it is read."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if path.name.startswith("."):
        return False
    return path.suffix == ".parquet" or (name.suffix in SEPARATORS and path.is_file())
