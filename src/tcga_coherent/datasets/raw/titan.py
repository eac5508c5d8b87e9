"""Slide embeddings as Trident writes them: one HDF5 file a slide."""

import logging
import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from kedro.io.core import DatasetError

logger = logging.getLogger(__name__)

FEATURES = "features"
# Of an embedding as published; the paper's Methods say 736.
WIDTH = 768
SUFFIXES = {".h5", ".hdf5"}
EXAMPLES = 3
WAY_OUT = (
    "Point `folder` of the catalog entry at Trident's slide features, or leave the modality out "
    "by setting it to null in the parameters `modalities`."
)


def read_titan_folder(
    folder: Path, width: int = WIDTH, skip_bad: bool = False, patient_pattern: str | None = None
) -> pd.DataFrame:
    """Read a folder of TITAN slide embeddings.

    Parameters
    ----------
    folder
        Holds one ``.h5`` or ``.hdf5`` a slide, named by the slide's barcode, with a dataset
        ``features`` of shape (`width`,) or (1, `width`).
    width
        Length of an embedding.
    skip_bad
        Leave files out that cannot be used, with a warning that lists them, instead of stopping.
    patient_pattern
        Regular expression whose first group is the patient in the stem of a file, such as
        ``(P[0-9]+)_.*`` for ``P001_A.h5``; several slides of a patient are averaged. None where slides
        have TCGA barcodes or the names of their patients.

    Returns
    -------
    pandas.DataFrame
        Slides x `width`, float32, index named ``sample`` (file stems, or patients with
        `patient_pattern`), columns ``titan_000``, ...

    Raises
    ------
    DatasetError
        When the folder is absent, holds no usable file, or a file is damaged, lacks ``features``,
        lies in another file, or holds another shape or a value that is not finite; all such files
        are named.
    """
    files, ignored = _slides(folder)
    embeddings: dict[str, np.ndarray] = {}
    patients: list[str] = []
    problems: list[str] = []
    for path in files:
        try:
            if path.stem in embeddings:
                raise ValueError("a slide of this name is in the folder twice")
            patient = _find_patient(path.stem, patient_pattern)
            embeddings[path.stem] = _read_embedding(path, width)
            patients.append(patient)
        except (OSError, KeyError, ValueError, TypeError) as error:
            problems.append(f"{path.name} ({error})")
    if ignored:
        logger.info(
            "%s: %d entries that are no .h5 files are ignored, such as %s",
            folder,
            len(ignored),
            ", ".join(ignored[:EXAMPLES]),
        )
    _report(folder, problems, skip_bad)
    if not embeddings:
        raise DatasetError(f"{folder} holds no usable .h5 file{_say_ignored(ignored)}. {WAY_OUT}")
    digits = max(3, len(str(width - 1)))
    slides = pd.DataFrame(
        np.stack(list(embeddings.values())),
        index=pd.Index(patients, name="sample"),
        columns=pd.Index([f"titan_{number:0{digits}d}" for number in range(width)], name="feature"),
    )
    if patient_pattern is None:
        return slides
    logger.info("%s: %d slides of %d patients", folder, len(slides), slides.index.nunique())
    return slides.groupby(level="sample").mean()


def name_slides(
    folder: Path, skip_bad: bool = False, patient_pattern: str | None = None
) -> pd.Index:
    """Return the names of the slides that :func:`read_titan_folder` reads, without opening a file.

    Parameters and errors as there, as far as they are of names. A slide is named once, or the patients are.
    """
    files, ignored = _slides(folder)
    found: dict[str, None] = {}
    problems: list[str] = []
    for path in files:
        try:
            found[_find_patient(path.stem, patient_pattern)] = None
        except ValueError as error:
            problems.append(f"{path.name} ({error})")
    _report(folder, problems, skip_bad, logging.DEBUG)
    if not found:
        raise DatasetError(f"{folder} holds no usable .h5 file{_say_ignored(ignored)}. {WAY_OUT}")
    return pd.Index(list(found), name="sample")


def _slides(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the files of a folder, and the names of what else is there."""
    if folder.is_file():
        raise DatasetError(f"The folder of slide embeddings {folder} is a file. {WAY_OUT}")
    if not folder.is_dir():
        raise DatasetError(f"The folder of slide embeddings {folder} does not exist. {WAY_OUT}")
    entries = sorted(folder.iterdir())
    files = [path for path in entries if path.suffix.lower() in SUFFIXES and path.is_file()]
    return files, [path.name for path in entries if path not in set(files)]


def _report(
    folder: Path, problems: list[str], skip_bad: bool, level: int = logging.WARNING
) -> None:
    if not problems:
        return
    message = f"{len(problems)} of the slide embeddings in {folder} cannot be used: " + "; ".join(
        problems
    )
    if not skip_bad:
        raise DatasetError(
            f"{message}. Make them again, delete them, or set `skip_bad: true` in the catalog."
        )
    logger.log(level, "%s. They are left out.", message)


def _find_patient(stem: str, pattern: str | None) -> str:
    if pattern is None:
        return stem
    found = re.fullmatch(pattern, stem)
    if found is None:
        raise ValueError(f"the name does not match patient_pattern {pattern!r}")
    return found[1]


def _say_ignored(names: list[str]) -> str:
    return f", only {', '.join(names[:EXAMPLES])}" if names else ""


def _read_embedding(path: Path, width: int) -> np.ndarray:
    with h5py.File(path, "r") as file:
        if isinstance(file.get(FEATURES, getlink=True), h5py.ExternalLink):
            raise ValueError(f"{FEATURES!r} is a link into another file")
        if not isinstance(file.get(FEATURES), h5py.Dataset):
            raise KeyError(f"no dataset {FEATURES!r}, found {sorted(file)}")
        dataset = file[FEATURES]
        if dataset.external or dataset.is_virtual:
            raise ValueError(f"the values of {FEATURES!r} lie in another file")
        if dataset.shape not in {(width,), (1, width)}:
            raise ValueError(f"shape {dataset.shape} instead of ({width},) or (1, {width})")
        embedding = np.asarray(dataset, dtype=np.float32).reshape(width)
    if not np.isfinite(embedding).all():
        raise ValueError("a value that is not finite")
    return embedding
