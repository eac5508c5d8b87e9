"""What an artefact is and what it was made from, in a small JSON file beside it.

``data/06_models/demo/consensus`` has its identity in ``data/06_models/demo/.identity/consensus.json``: a SHA-256
of every file, and what its inputs were when it was made from them. Where artefacts meet, that tells whether they
belong together; where files were damaged or edited, it tells which. An input that was made again and came out
the same is the same.
"""

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from kedro.io.core import DatasetError

FOLDER = ".identity"
EXAMPLES = 3

# Path, size and time of last change to the hash: within a run a file is read once.
_hashes: dict[tuple[Path, int, int], str] = {}


@dataclass(frozen=True)
class MadeFrom:
    """An artefact that another was made from.

    Attributes
    ----------
    path
        File or folder, relative to the folder of what was made from it; empty for raw files.
    content
        :attr:`Identity.content` that it had.
    """

    path: str
    content: str


@dataclass(frozen=True)
class Identity:
    """What a dataset is and what it was made from.

    Attributes
    ----------
    dataset
        Its name in the catalog.
    pipeline, node
        What made it.
    version
        Version of this package.
    files
        SHA-256 of each of its files by name.
    parameters
        SHA-256 of each parameter that it depends on, beside those that its inputs depend on.
    inputs
        Name of each artefact that it was made from, to what that was.
    """

    dataset: str
    pipeline: str
    node: str
    version: str
    files: Mapping[str, str]
    parameters: Mapping[str, str]
    inputs: Mapping[str, MadeFrom]

    @property
    def content(self) -> str:
        """SHA-256 over all files."""
        return content_of(self.files)


def files_below(folder: Path) -> dict[str, Path]:
    """Return the path from a folder to each file in it and in its folders."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file for file in files}


class Identified(ABC):
    """Mixin of datasets that bear an identity.

    Attributes
    ----------
    outdated
        Set for a run that makes missing outputs only, and where something optional is read: what lies there is of other
        inputs or parameters, and does not exist for this run.
    optional
        Whether those who read it go on without it.
    """

    outdated = False
    optional = False

    @property
    @abstractmethod
    def identified_path(self) -> Path:
        """The file or folder."""

    def identified_files(self) -> dict[str, Path]:
        """Return name to file of all that is there."""
        path = self.identified_path
        return {path.name: path} if path.is_file() else {}


class IdentifiedFolder(Identified):
    """Mixin of datasets in a folder; they exist where :meth:`identified_files` has any.

    Parameters
    ----------
    path
        The folder.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self.metadata = metadata

    @property
    def identified_path(self) -> Path:
        """The folder."""
        return self._path

    def _exists(self) -> bool:
        return not self.outdated and bool(self.identified_files())

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}


class ReadOnly:
    """Mixin of datasets that are never written."""

    def save(self, data: Any) -> NoReturn:
        """Refuse."""
        raise DatasetError(f"{type(self).__name__} is read-only.")


class Raw(ReadOnly, ABC):
    """Mixin of datasets whose files nothing here has made: they have no identity, and are told by their content."""

    @abstractmethod
    def raw_files(self) -> dict[str, Path]:
        """Return name to file of all that is there; the names say what a file is, not where it lies."""


def content_of(files: Mapping[str, str]) -> str:
    """Return one SHA-256 for the hashes of several files."""
    listing = "\n".join(f"{name} {files[name]}" for name in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()


def hash_files(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {name: _hash(path) for name, path in files.items()}


def _hash(path: Path) -> str:
    status = path.stat()
    key = (path.resolve(), status.st_size, status.st_mtime_ns)
    if key not in _hashes:
        with path.open("rb") as file:
            _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _hashes[key]


def write_identity(path: Path, identity: Identity) -> None:
    """Write the identity of the file or folder `path`."""
    target = _file_of(path)
    target.parent.mkdir(exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(asdict(identity), indent=1), encoding="utf-8")
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DatasetError(f"Cannot write {target}: {error.strerror}. Free some space.") from error


def read_identity(path: Path) -> Identity | None:
    """Return the identity of the file or folder `path`, None where it has none.

    Raises
    ------
    DatasetError
        When it cannot be read.
    """
    file = _file_of(path)
    if not file.is_file():
        return None
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        inputs = {name: MadeFrom(**part) for name, part in stored.pop("inputs").items()}
        return Identity(**stored, inputs=inputs)
    except (ValueError, TypeError, KeyError) as error:
        raise DatasetError(
            f"{file} is damaged ({error}): run the pipeline that makes {path.name} again."
        ) from error


def changed_files(identity: Identity, files: Mapping[str, Path]) -> list[str]:
    """Return the names of files that are not as they were written: edited, damaged, gone or new."""
    found = hash_files(files)
    names = sorted({*identity.files, *found})
    return [name for name in names if identity.files.get(name) != found.get(name)]


def other_inputs(
    path: Path, identity: Identity, locate: Callable[[str], Path | None] = lambda name: None
) -> list[str]:
    """Return the names of artefacts that are others than those `path` descends from, the oldest first.

    Parameters
    ----------
    path, identity
        File or folder, and its identity.
    locate
        Name of an artefact to where it lies now; None for the place where it lay. One that is gone
        tells nothing.
    """
    others: dict[str, None] = {}
    seen = {path}

    def compare(path: Path, identity: Identity) -> None:
        for name, made_from in identity.inputs.items():
            if not made_from.path:
                continue
            place = locate(name) or Path(os.path.normpath(path.parent / made_from.path))
            now = read_identity(place)
            if now is None:
                continue
            if place not in seen:
                seen.add(place)
                compare(place, now)
            if now.content != made_from.content:
                others[name] = None

    compare(path, identity)
    return list(others)


def why_outdated(path: Path, files: list[Path]) -> str | None:
    """Return why a file or folder is not of what is at hand, None where it is."""
    identity = read_identity(path)
    if identity is None:
        return "made by an older version, or by hand"
    if changed_files(identity, {file.name: file for file in files}):
        return "changed since it was made"
    others = other_inputs(path, identity)
    if others:
        return f"made from other {', '.join(others[:EXAMPLES])} than those at hand"
    return None


def _file_of(path: Path) -> Path:
    return path.parent / FOLDER / f"{path.name}.json"
