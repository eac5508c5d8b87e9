"""Slide embeddings as Trident writes them: one HDF5 file a slide."""

import logging
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from kedro.io.core import DatasetError

logger = logging.getLogger(__name__)

FEATURES = "features"


def read_titan_folder(folder: Path, width: int = 768, skip_bad: bool = False) -> pd.DataFrame:
    """Read a folder of TITAN slide embeddings.

    Parameters
    ----------
    folder
        Holds one ``.h5`` a slide, named by the slide's barcode, with a dataset ``features`` of
        shape (`width`,) or (1, `width`).
    width
        Length of an embedding: 768 for TITAN as published; the paper's Methods say 736.
    skip_bad
        Leave files out that cannot be used, with a warning that lists them, instead of stopping.

    Returns
    -------
    pandas.DataFrame
        Slides x `width`, float32, index named ``sample`` (file stems), columns ``titan_000``, ...

    Raises
    ------
    DatasetError
        When the folder is absent, holds no usable file, or a file is damaged, lacks ``features``,
        or holds another shape or a value that is not finite; all such files are named.
    """
    way_out = (
        "Point `folder` of the catalog entry at Trident's slide features, or leave the modality out "
        "by setting it to null in the parameters `modalities`."
    )
    if not folder.is_dir():
        raise DatasetError(f"The folder of slide embeddings {folder} does not exist. {way_out}")
    embeddings: dict[str, np.ndarray] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.h5")):
        try:
            embeddings[path.stem] = _read_embedding(path, width)
        except (OSError, KeyError, ValueError, TypeError) as error:
            problems.append(f"{path.name} ({error})")
    if problems:
        message = (
            f"{len(problems)} of the slide embeddings in {folder} cannot be used: "
            + "; ".join(problems)
        )
        if not skip_bad:
            raise DatasetError(
                f"{message}. Make them again, delete them, or set `skip_bad: true` in the catalog."
            )
        logger.warning("%s. They are left out.", message)
    if not embeddings:
        raise DatasetError(f"{folder} holds no usable .h5 file. {way_out}")
    digits = max(3, len(str(width - 1)))
    return pd.DataFrame(
        np.stack(list(embeddings.values())),
        index=pd.Index(list(embeddings), name="sample"),
        columns=pd.Index([f"titan_{number:0{digits}d}" for number in range(width)], name="feature"),
    )


def _read_embedding(path: Path, width: int) -> np.ndarray:
    with h5py.File(path, "r") as file:
        if not isinstance(file.get(FEATURES), h5py.Dataset):
            raise KeyError(f"no dataset {FEATURES!r}, found {sorted(file)}")
        dataset = file[FEATURES]
        if dataset.shape not in {(width,), (1, width)}:
            raise ValueError(f"shape {dataset.shape} instead of ({width},) or (1, {width})")
        embedding = np.asarray(dataset, dtype=np.float32).reshape(width)
    if not np.isfinite(embedding).all():
        raise ValueError("a value that is not finite")
    return embedding
