"""Cohorts of the GDC Xena hub: one gzip-compressed table a cohort and kind.

Files are named ``TCGA-<cohort>.<kind>.tsv.gz``. Kinds that hold features x samples are
``star_counts`` (log2(count + 1)), ``gene-level_absolute`` (copies) and ``protein``; ``clinical`` and
``survival`` hold samples x columns.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import Raw
from tcga_coherent.datasets.raw.clinical_table import read_clinical_table
from tcga_coherent.datasets.raw.downloads import HubUnreachableError, fetch_files
from tcga_coherent.datasets.raw.hash_registry import verify_files, verify_release
from tcga_coherent.datasets.raw.raw_modality import RawModalityDataset, RawSamples
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.datasets.raw.xena_kind import name_xena_samples, read_xena_kind

logger = logging.getLogger(__name__)

CLINICAL_KINDS = ("clinical", "survival")


class XenaFolder:
    """A folder with the files of some cohorts and kinds, downloaded where a URL is given.

    Parameters
    ----------
    folder
        Folder of the files.
    cohorts
        TCGA cohort abbreviations.
    kinds
        Kinds of files that must be there for every cohort.
    base_url
        Address of the hub's folder of downloads; None to use files that are there already.
    workers
        Files downloaded at the same time.
    optional
        ``<cohort>.<kind>`` of files that the hub lacks. Each is left out with a warning; any
        other absent file is an error.
    expected_hashes
        List of SHA-256 that the files must have, see
        :func:`~tcga_coherent.datasets.raw.hash_registry.read_hashes`; None to accept any release.
    """

    def __init__(
        self,
        folder: str,
        cohorts: Sequence[str],
        kinds: Sequence[str],
        base_url: str | None,
        workers: int,
        optional: Sequence[str] = (),
        expected_hashes: str | None = None,
    ) -> None:
        if base_url is not None and not re.match(r"https?://[^/]", base_url):
            raise DatasetError(
                f"base_url is {base_url!r}, which is no address of a server: it must begin with https:// or "
                f"http://. For files on this machine set it to null and name their `folder`."
            )
        twice = {cohort for cohort in cohorts if list(cohorts).count(cohort) > 1}
        if twice or not cohorts:
            raise DatasetError(
                f"`cohorts` must name each cohort once, got {list(cohorts)}: correct the catalog or "
                f"`cohorts` in globals.yml."
            )
        self.folder = resolve_in_project(folder)
        self.cohorts = list(cohorts)
        self.kinds = list(kinds)
        self.base_url = base_url
        self.workers = workers
        self.optional = set(optional)
        self.expected_hashes = expected_hashes

    def path(self, cohort: str, kind: str) -> Path:
        """Return the path of one file."""
        return self.folder / f"TCGA-{cohort}.{kind}.tsv.gz"

    def files_of(self, kind: str) -> list[Path]:
        """Return the files of a kind that are there."""
        paths = (self.path(cohort, kind) for cohort in self.cohorts)
        return [path for path in paths if path.is_file()]

    def ensure_files(self) -> None:
        """Download what is missing, and check what is there.

        Raises
        ------
        DatasetError
            When a file is missing, changed, damaged, or cannot be downloaded; the message names
            the files, their URLs and cohorts.
        """
        files = {
            self.path(cohort, kind).name: (cohort, kind)
            for cohort in self.cohorts
            for kind in self.kinds
        }
        if self.base_url is None:
            absent = [name for name in files if not (self.folder / name).is_file()]
            verify_files(self.folder, files)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Modalities may be read at the same time, and the folder has one list of hashes.
            with FileLock(self.folder / ".lock"):
                absent = self._fetch(self.base_url, files)
        if self.expected_hashes is not None:
            verify_release(self.folder, files, resolve_in_project(self.expected_hashes))
        allowed = [name for name in absent if ".".join(files[name]) in self.optional]
        if allowed:
            logger.warning(
                "Left out, as `optional` of the catalog entry says: %s", ", ".join(allowed)
            )
        required = [name for name in absent if name not in allowed]
        if required:
            raise DatasetError(self._explain_absent(required, files))

    def _fetch(self, base_url: str, files: Mapping[str, tuple[str, str]]) -> list[str]:
        """Download what is missing; return what the hub lacks, or cannot be asked for and may lack."""
        may_lack = [
            name
            for name, key in files.items()
            if ".".join(key) in self.optional and not (self.folder / name).is_file()
        ]
        needed = [name for name in files if name not in may_lack]
        absent = fetch_files(self.folder, base_url, needed, workers=self.workers)
        try:
            absent += fetch_files(self.folder, base_url, may_lack, workers=self.workers, attempts=2)
        except HubUnreachableError:
            # A compute node has no network, and all that must be there is.
            logger.warning(
                "%s cannot be reached: what lies in %s is used, though the hub may have %s",
                base_url,
                self.folder,
                ", ".join(may_lack),
            )
            absent += may_lack
        return absent

    def _explain_absent(self, names: list[str], files: dict[str, tuple[str, str]]) -> str:
        listed = ", ".join(
            f"{self.base_url.rstrip('/') if self.base_url else self.folder}/{name} (cohort {files[name][0]})"
            for name in names
        )
        entries = ", ".join(".".join(files[name]) for name in names)
        if self.base_url is None:
            return (
                f"Missing: {listed}. Copy the files there, or set base_url of the catalog entry to "
                f"download them; where the hub has no such file, list {entries} under `optional`."
            )
        return (
            f"The server does not have {listed}. Check `cohorts`, the kinds and base_url; where the hub "
            f"has no such file, list {entries} under `optional` of the catalog entry."
        )


class XenaMatrixDataset(RawModalityDataset):
    """A modality of some TCGA cohorts from the GDC Xena hub.

    Parameters
    ----------
    folder
        Folder of the files.
    kind
        Kind of the hub's files, such as ``star_counts``.
    cohorts
        TCGA cohort abbreviations, such as BRCA.
    base_url
        Address of the hub's folder of downloads; null to use files that are there already.
    workers
        Files downloaded at the same time.
    optional
        ``<cohort>.<kind>`` of files that the hub lacks, such as ``THCA.gene-level_absolute``: left
        out with a warning instead of an error; those that lie there are used.
    expected_hashes
        Text file of the SHA-256 that the files must have, ``<name> <hash>`` a line.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        folder: str,
        kind: str,
        cohorts: Sequence[str],
        base_url: str | None = None,
        workers: int = 4,
        optional: Sequence[str] = (),
        expected_hashes: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._kind = kind
        self._files = XenaFolder(
            folder, cohorts, [kind], base_url, workers, optional, expected_hashes
        )
        self.metadata = metadata

    def load(self) -> RawSamples:
        """Fetch what is missing; return what reads the names and the values."""
        self._files.ensure_files()
        return self.samples()

    def samples(self) -> RawSamples:
        """Return what reads the files that are there."""
        return RawSamples(self._names, self._read)

    def raw_files(self) -> dict[str, Path]:
        """Return the files of all cohorts."""
        return {file.name: file for file in self._files.files_of(self._kind)}

    def _names(self) -> pd.Index:
        return name_xena_samples(self._paths(), self._kind)

    def _read(self) -> pd.DataFrame:
        return read_xena_kind(self._paths(), self._kind)

    def _paths(self) -> dict[str, Path]:
        """Return cohort to its file; an absent file is one that `optional` allows."""
        paths = {cohort: self._files.path(cohort, self._kind) for cohort in self._files.cohorts}
        there = {cohort: path for cohort, path in paths.items() if path.is_file()}
        if not there:
            raise DatasetError(
                f"{self._files.folder} holds no file of kind {self._kind!r}: leave the modality out "
                f"by setting it to null in the parameters `modalities`."
            )
        return there

    def _describe(self) -> dict[str, Any]:
        return {
            "folder": str(self._files.folder),
            "kind": self._kind,
            "base_url": self._files.base_url,
            "cohorts": self._files.cohorts,
        }


class XenaClinicalDataset(Raw, AbstractDataset[None, pd.DataFrame]):
    """Clinical and survival tables of some TCGA cohorts from the GDC Xena hub.

    Parameters
    ----------
    folder
        Folder of the files.
    cohorts
        TCGA cohort abbreviations, such as BRCA.
    base_url
        Address of the hub's folder of downloads; null to use files that are there already.
    workers
        Files downloaded at the same time.
    expected_hashes
        Text file of the SHA-256 that the files must have, ``<name> <hash>`` a line.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        folder: str,
        cohorts: Sequence[str],
        base_url: str | None = None,
        workers: int = 4,
        expected_hashes: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._files = XenaFolder(
            folder, cohorts, CLINICAL_KINDS, base_url, workers, expected_hashes=expected_hashes
        )
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Fetch what is missing; return all samples x columns found, with ``cancer_type``."""
        self._ensure_files()
        cohorts = []
        for cohort in self._files.cohorts:
            tables = [
                read_clinical_table(self._files.path(cohort, kind)) for kind in CLINICAL_KINDS
            ]
            # Samples may be in one of the two only; where both have a column, clinical wins.
            samples = pd.concat(tables).groupby(level=0, sort=False).first()
            cohorts.append(samples.assign(cancer_type=cohort))
        return pd.concat(cohorts).rename_axis(index="sample")

    def _ensure_files(self) -> None:
        """Put the files of all cohorts into the folder; subclasses may make them."""
        self._files.ensure_files()

    def raw_files(self) -> dict[str, Path]:
        """Return the files of all cohorts."""
        return {file.name: file for kind in CLINICAL_KINDS for file in self._files.files_of(kind)}

    def _describe(self) -> dict[str, Any]:
        return {
            "folder": str(self._files.folder),
            "base_url": self._files.base_url,
            "cohorts": self._files.cohorts,
        }
