"""SHA-256 of downloaded files, recorded once and verified ever after."""

import re
import threading
from collections.abc import Iterable
from pathlib import Path

import pooch
from kedro.io.core import DatasetError

from tcga_coherent.datasets.atomic import replace_when_whole

SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class HashRegistry:
    """SHA-256 of every downloaded file of a folder, in pooch's ``registry.txt``.

    Parameters
    ----------
    folder
        Folder of the files.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "registry.txt"
        self._lock = threading.Lock()

    def read(self) -> dict[str, str]:
        """Return file name to hash; empty where nothing was downloaded yet."""
        return read_hashes(self.path) if self.path.is_file() else {}

    def record(self, name: str, digest: str) -> None:
        """Add the hash of one file."""
        with self._lock:
            known = self.read() | {name: digest}
            with replace_when_whole(self.path) as partial:
                partial.write_text(
                    "".join(f"{key} {known[key]}\n" for key in sorted(known)), encoding="utf-8"
                )

    def verify(self, name: str, digest: str) -> bool:
        """Say whether `name` is recorded with this hash; False where it is not recorded.

        Raises
        ------
        DatasetError
            When it is recorded with another hash.
        """
        recorded = self.read().get(name)
        if recorded is not None and recorded != digest:
            raise DatasetError(
                f"{self.path.with_name(name)} changed: its SHA-256 is {digest}, but {recorded} was "
                f"recorded in {self.path.name} when it was first downloaded. To accept the new "
                f"content, delete its line in {self.path}; to download it again, delete the file too."
            )
        return recorded is not None


def read_hashes(path: Path) -> dict[str, str]:
    """Return file name to SHA-256 from lines ``<name> <hash>``, or ``<hash>  <name>`` as ``sha256sum`` writes.

    Raises
    ------
    DatasetError
        When the file is absent or a line is neither.
    """
    if not path.is_file():
        raise DatasetError(f"The list of SHA-256 {path} does not exist: correct the catalog entry.")
    hashes = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.split(maxsplit=1)
        if not cells:
            continue
        if len(cells) == 2 and SHA256.fullmatch(cells[0]):
            cells = [cells[1].lstrip("*"), cells[0]]
        if len(cells) != 2 or not SHA256.fullmatch(cells[1]):
            raise DatasetError(
                f"{path} is damaged: every line must be a file name and a SHA-256, not {line!r}. Delete "
                f"the bad line, or the whole file to record all hashes anew."
            )
        hashes[cells[0]] = cells[1].lower()
    return hashes


def verify_release(folder: Path, names: Iterable[str], expected: Path) -> None:
    """Hold files against the SHA-256 of a release that one wants to have.

    Parameters
    ----------
    folder
        Folder of the files.
    names
        Files to check; those that are not in the folder are passed over.
    expected
        List of hashes, see `read_hashes`.

    Raises
    ------
    DatasetError
        Naming the files with another hash, or those that the list does not have.
    """
    hashes = read_hashes(expected)
    here = [name for name in names if (folder / name).is_file()]
    unlisted = [name for name in here if name not in hashes]
    if unlisted:
        raise DatasetError(
            f"{expected} has no SHA-256 of {', '.join(unlisted)}: add it, or leave the list out."
        )
    changed = [name for name in here if pooch.file_hash(str(folder / name)) != hashes[name]]
    if changed:
        raise DatasetError(
            f"Not of the release that {expected} lists: {', '.join(changed)} in {folder}, whose SHA-256 "
            f"differs. Get the files of that release, or the list of this one."
        )


def verify_files(folder: Path, names: Iterable[str]) -> None:
    """Check the hashes of the files that were downloaded; those put there by hand have none.

    Raises
    ------
    DatasetError
        Naming the first file that changed, with both hashes.
    """
    registry = HashRegistry(folder)
    recorded = registry.read()
    for name in names:
        if name in recorded and (folder / name).is_file():
            registry.verify(name, pooch.file_hash(str(folder / name)))
