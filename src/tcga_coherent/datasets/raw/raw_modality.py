"""Raw samples of one modality: their names, which are little, and their values, which are read when asked for."""

import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.matrix import Orientation, read_matrix, read_sample_names
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.datasets.raw.titan import WIDTH, name_slides, read_titan_folder


@dataclass(frozen=True)
class RawSamples:
    """The samples of a modality.

    Attributes
    ----------
    names
        Reads the name of each sample: headers and names of files alone.
    read
        Reads samples x features, float32.
    """

    names: Callable[[], pd.Index]
    read: Callable[[], pd.DataFrame]


class RawModalityDataset(Raw, AbstractDataset[None, RawSamples]):
    """Base of the datasets of raw samples."""

    @abstractmethod
    def samples(self) -> RawSamples:
        """Return what reads the names and the values."""

    def load(self) -> RawSamples:
        """Return what reads the names and the values."""
        return self.samples()


class MatrixDataset(RawModalityDataset):
    """A matrix in one file: see :func:`tcga_coherent.datasets.raw.matrix.read_matrix`.

    Parameters
    ----------
    filepath
        Text or parquet.
    orientation
        What the rows and the columns are.
    hint
        Sentence added to the error about an absent file: how to point at another one.
    metadata
        Free-form metadata for Kedro plugins; unused here.

    Examples
    --------
    ::

        raw/rnaseq:
          type: tcga_coherent.datasets.raw.raw_modality.MatrixDataset
          filepath: data/01_raw/rna.tsv.gz
          orientation: samples_by_features
    """

    def __init__(
        self,
        *,
        filepath: str,
        orientation: Orientation = "features_by_samples",
        hint: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if orientation not in get_args(Orientation):
            raise DatasetError(
                f"orientation is {orientation!r} in the catalog: it must be {' or '.join(get_args(Orientation))}."
            )
        self._given, self._orientation, self._hint = str(filepath), orientation, hint
        self.metadata = metadata

    def raw_files(self) -> dict[str, Path]:
        """Return the file."""
        path = self._path
        return {path.name: path} if path.is_file() else {}

    @property
    def _path(self) -> Path:
        return resolve_in_project(self._given)

    def samples(self) -> RawSamples:
        """Return what reads the file."""
        arguments = (self._path, self._orientation, self._hint)
        return RawSamples(partial(read_sample_names, *arguments), partial(read_matrix, *arguments))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._given, "orientation": self._orientation}


class TitanDataset(RawModalityDataset):
    """Slide embeddings: see :func:`tcga_coherent.datasets.raw.titan.read_titan_folder`.

    Parameters
    ----------
    folder, width, skip_bad, patient_pattern
        As there.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        folder: str,
        width: int = WIDTH,
        skip_bad: bool = False,
        patient_pattern: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        _check_pattern(patient_pattern)
        # A folder named by a date, 20240115, is a number in YAML.
        self._given = str(folder)
        self._width, self._skip_bad, self._pattern = width, skip_bad, patient_pattern
        self.metadata = metadata

    def raw_files(self) -> dict[str, Path]:
        """Return the files of the folder."""
        files = sorted(resolve_in_project(self._given).rglob("*.h*5"))
        return {file.name: file for file in files if file.is_file()}

    def samples(self) -> RawSamples:
        """Return what reads the folder."""
        folder = resolve_in_project(self._given)
        return RawSamples(
            partial(name_slides, folder, self._skip_bad, self._pattern),
            partial(read_titan_folder, folder, self._width, self._skip_bad, self._pattern),
        )

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._given, "width": self._width}


def _check_pattern(pattern: str | None) -> None:
    if pattern is None:
        return
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise DatasetError(
            f"patient_pattern of the catalog entry is no regular expression ({error}): {pattern!r}."
        ) from error
    if groups < 1:
        raise DatasetError(
            f"patient_pattern {pattern!r} of the catalog entry needs a group in parentheses around the patient's "
            f"name."
        )
