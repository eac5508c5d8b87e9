"""Raw matrices of a cohort, one a modality, each described in the catalog."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.matrix import Orientation, read_matrix
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.datasets.raw.titan import read_titan_folder

# A folder named by a date, 20240115, is a number in YAML.
STRICT = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


def _check_pattern(text: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression ({error})") from error
    if groups < 1:
        raise ValueError(f"{text!r} needs a group in parentheses around the patient's name")
    return text


Pattern = Annotated[str, AfterValidator(_check_pattern)]
Loaders = dict[str, Callable[[], pd.DataFrame]]


@dataclass(frozen=True, config=STRICT)
class MatrixSource:
    """One file: see :func:`tcga_coherent.datasets.raw.matrix.read_matrix`."""

    format: Literal["matrix"]
    filepath: str
    orientation: Orientation = "features_by_samples"


@dataclass(frozen=True, config=STRICT)
class TitanSource:
    """Slide embeddings: see :func:`tcga_coherent.datasets.raw.titan.read_titan_folder`."""

    format: Literal["titan"]
    folder: str
    width: int = 768
    skip_bad: bool = False
    patient_pattern: Pattern | None = None


@dataclass(frozen=True, config=STRICT)
class XenaSource:
    """One file a cohort of the GDC Xena hub, ``TCGA-<cohort>.<kind>.tsv.gz``."""

    format: Literal["xena"]
    kind: str


Source = Annotated[MatrixSource | TitanSource | XenaSource, Field(discriminator="format")]


class RawModalitiesDataset(Raw, AbstractDataset[None, Loaders]):
    """A user's own matrices, read one modality at a time.

    Parameters
    ----------
    modalities
        Modality to where and in which format its samples lie: ``{format: matrix, filepath: ...,
        orientation: features_by_samples}`` or ``{format: titan, folder: ..., width: 768}``.
    hint
        Sentence added to the error about an absent file: how to point at another one.
    metadata
        Free-form metadata for Kedro plugins; unused here.

    Examples
    --------
    ::

        raw_modalities:
          type: tcga_coherent.datasets.raw.raw_modalities.RawModalitiesDataset
          modalities:
            rnaseq: {format: matrix, filepath: data/01_raw/rna.tsv.gz, orientation: samples_by_features}
            wsi: {format: titan, folder: data/01_raw/titan}
    """

    def __init__(
        self,
        *,
        modalities: Mapping[str, Mapping[str, Any]],
        hint: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._sources = parse_sources(modalities)
        self._hint = hint
        self.metadata = metadata

    def load(self) -> Loaders:
        """Return modality to a function that reads it: samples x features, float32."""
        return {name: partial(self._read, source) for name, source in self._sources.items()}

    def raw_files(self) -> dict[str, Path]:
        """Return the files by modality."""
        return {
            f"{name}/{file.name}": file
            for name, source in self._sources.items()
            for file in self._files_of(source)
        }

    def _files_of(self, source: MatrixSource | TitanSource | XenaSource) -> list[Path]:
        if isinstance(source, MatrixSource):
            path = resolve_in_project(source.filepath)
            return [path] if path.is_file() else []
        if isinstance(source, TitanSource):
            return sorted(
                p for p in resolve_in_project(source.folder).rglob("*.h*5") if p.is_file()
            )
        return []

    def _read(self, source: MatrixSource | TitanSource | XenaSource) -> pd.DataFrame:
        if isinstance(source, MatrixSource):
            path = resolve_in_project(source.filepath)
            return read_matrix(path, source.orientation, self._hint)
        if isinstance(source, TitanSource):
            folder = resolve_in_project(source.folder)
            return read_titan_folder(folder, source.width, source.skip_bad, source.patient_pattern)
        raise DatasetError(
            f"{type(self).__name__} reads no files of the Xena hub: use "
            f"tcga_coherent.datasets.raw.xena_hub.XenaHubDataset for `format: xena`."
        )

    def save(self, data: None) -> None:
        """Refuse: raw data are never written."""
        raise DatasetError(f"{type(self).__name__} is read-only.")

    def _describe(self) -> dict[str, Any]:
        return {"modalities": self._sources}


def parse_sources(
    modalities: Mapping[str, Mapping[str, Any]],
) -> dict[str, MatrixSource | TitanSource | XenaSource]:
    """Validate what the catalog says of each modality.

    Raises
    ------
    DatasetError
        Naming the modality, the key and what is wrong with it.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(Source)
    sources = {}
    for name, settings in modalities.items():
        try:
            sources[name] = adapter.validate_python(dict(settings))
        except ValidationError as error:
            problems = "; ".join(
                f"modalities.{'.'.join(map(str, (name, *problem['loc'])))}: {problem['msg']}"
                for problem in error.errors()
            )
            raise DatasetError(f"Bad catalog entry of raw modalities: {problems}.") from error
    return sources
