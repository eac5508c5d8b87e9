"""SHA-256 of downloaded files, recorded once and verified ever after."""

import threading
from collections.abc import Iterable
from pathlib import Path

import pooch
from kedro.io.core import DatasetError

from tcga_coherent.datasets.atomic import replace_when_whole


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
        if not self.path.is_file():
            return {}
        lines = self.path.read_text(encoding="utf-8").splitlines()
        try:
            return dict(line.split(maxsplit=1) for line in lines if line)
        except ValueError as error:
            raise DatasetError(
                f"{self.path} is damaged: every line must be a file name and a SHA-256. Delete the bad "
                f"line, or the whole file to record all hashes anew."
            ) from error

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
