"""The folder of a bundle: models that leave the house, and how they are known for what they were."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from omegaconf import OmegaConf

from tcga_coherent import __version__
from tcga_coherent.completion.bundle import AGREEMENT, KINDS, Bundle
from tcga_coherent.datasets.atomic import replace_when_whole
from tcga_coherent.datasets.checkpoint import Checkpoint, checkpoint_bytes, read_checkpoint
from tcga_coherent.datasets.identity import (
    IdentifiedFolder,
    ReadOnly,
    content_of,
    files_below,
    hash_files,
    read_identity,
    why_outdated,
)
from tcga_coherent.datasets.raw.text_files import resolve_in_project

logger = logging.getLogger(__name__)

MANIFEST, PARAMETERS, CARD = "manifest.json", "parameters.json", "RELEASE_CARD.md"
SUFFIX = ".safetensors"
# No file that a manifest names lies outside of the folder.
NAMES = re.compile(rf"(({'|'.join(KINDS)})/[\w+-]+|{AGREEMENT})\{SUFFIX}|{PARAMETERS}|{CARD}")
EXAMPLES = 3


class BundleDataset(IdentifiedFolder, AbstractDataset[Bundle, Bundle]):
    """A :class:`tcga_coherent.completion.bundle.Bundle` in a folder beside the models that it is made of.

    Checkpoints are safetensors, byte for byte those of the environment, all else is JSON and Markdown. The
    manifest has the SHA-256 and the identity of each file.

    Parameters
    ----------
    path
        The folder, exchanged as a whole.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def identified_files(self) -> dict[str, Path]:
        """Return name to file of all that is there."""
        return files_below(self._path)

    def load(self) -> Bundle:
        """Read the bundle; see :func:`read_bundle`."""
        return read_bundle(self._path)

    def save(self, data: Bundle) -> None:
        """Write the bundle, with the release card that lies beside the models, if it is theirs."""
        models = self._path.parent
        with replace_when_whole(self._path) as partial:
            partial.mkdir()
            for name, checkpoint in data.checkpoints.items():
                file = partial / f"{name}{SUFFIX}"
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(checkpoint_bytes(checkpoint))
            (partial / PARAMETERS).write_text(
                json.dumps(data.parameters, indent=1), encoding="utf-8"
            )
            card = models / CARD
            reason = why_outdated(card, [card]) if card.is_file() else "there is none"
            if reason is None:
                (partial / CARD).write_bytes(card.read_bytes())
            else:
                logger.warning(
                    "The bundle has no release card (%s): `kedro run --pipelines release_card` makes it, then "
                    "bundle again.",
                    reason,
                )
            _write_manifest(partial, models)

    def _exists(self) -> bool:
        return not self.outdated and (self._path / MANIFEST).is_file()


class GivenBundleDataset(ReadOnly, AbstractDataset[NoReturn, Bundle | None]):
    """The bundle that a run is given in place of its environment's models; None where it is given none.

    Parameters
    ----------
    folder
        Of the bundle, or None; ``~`` is the home folder.
    parameters
        Groups of parameters that the run was given on the command line: they take the place of the bundle's.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        folder: str | None,
        parameters: Mapping[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = folder
        self._parameters = {k: v for k, v in (parameters or {}).items() if v is not None}
        self.metadata = metadata

    def load(self) -> Bundle | None:
        """Read the bundle; see :func:`read_bundle`."""
        if self._folder is None:
            return None
        bundle = read_bundle(resolve_in_project(str(Path(str(self._folder)).expanduser())))
        merged: Any = OmegaConf.to_container(
            OmegaConf.merge(dict(bundle.parameters), self._parameters)
        )
        return replace(bundle, parameters=merged)

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._folder}


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle, after checking every file of it.

    Parameters
    ----------
    folder
        What :class:`BundleDataset` wrote, wherever it lies now.

    Raises
    ------
    DatasetError
        When there is none, it is of another major version, or a file is missing or not as it was written.
    """
    manifest = _read_manifest(folder)
    stated = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    strange = [name for name in stated if NAMES.fullmatch(name) is None]
    if strange:
        raise DatasetError(
            f"{folder / MANIFEST} names {strange[0]}, which is no file of a bundle: copy the bundle anew."
        )
    absent = [name for name in stated if not (folder / name).is_file()]
    if absent:
        raise DatasetError(f"{folder} lacks {_examples(absent)}: copy the whole bundle anew.")
    found = hash_files({name: folder / name for name in stated})
    changed = [name for name in stated if found[name] != stated[name]]
    if changed:
        raise DatasetError(
            f"{folder} is not as it was written ({_examples(changed)}): copy the bundle anew."
        )
    checkpoints: dict[str, Checkpoint] = {
        name.removesuffix(SUFFIX): read_checkpoint(folder / name)
        for name in stated
        if name.endswith(SUFFIX)
    }
    card = (folder / CARD).read_text(encoding="utf-8") if CARD in stated else ""
    parameters = json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
    return Bundle(checkpoints, parameters, card, manifest)


def _write_manifest(folder: Path, models: Path) -> None:
    """List the files of a folder, with what those of the same names in `models` were made from."""
    names = files_below(folder)
    hashes = hash_files(names)
    identities = {name: read_identity(models / name) for name in names}
    manifest: dict[str, Any] = {
        "version": __version__,
        "content": content_of(hashes),
        "files": {
            name: {
                "sha256": hashes[name],
                "identity": None if identity is None else asdict(identity),
            }
            for name, identity in identities.items()
        },
    }
    manifest["seal"] = _seal(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a bundle of this major version, as it was written."""
    file = folder / MANIFEST
    if not file.is_file():
        what = "holds no bundle" if folder.is_dir() else "does not exist"
        raise DatasetError(
            f"{folder} {what}: `kedro run --pipelines bundle` writes one, which is copied as a whole."
        )
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version, seal = str(manifest["version"]), manifest.pop("seal")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{file} is damaged ({error}): copy the bundle anew.") from error
    if version.split(".")[0] != __version__.split(".")[0]:
        raise DatasetError(
            f"{folder} was written by version {version} of tcga_coherent and this is {__version__}: install a "
            f"version {version.split('.')[0]}, or have the bundle made by this one."
        )
    if seal != _seal(manifest):
        raise DatasetError(f"{file} is not as it was written: copy the bundle anew.")
    return manifest


def _seal(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _examples(names: list[str]) -> str:
    more = len(names) - EXAMPLES
    return ", ".join(names[:EXAMPLES]) + (f" and {more} more" if more > 0 else "")
