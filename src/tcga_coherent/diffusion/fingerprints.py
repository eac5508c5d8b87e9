"""Short names for the content of arrays, to tell whether two artefacts belong together."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd


def fingerprint_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return a SHA-256 digest of names, shapes, types and values."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.shape} {array.dtype.str}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def fingerprint_frame(frame: pd.DataFrame) -> str:
    """Return a SHA-256 digest of a numeric frame's index, columns and values."""
    labels = "\n".join([*map(str, frame.index), "", *map(str, frame.columns)])
    return fingerprint_arrays(
        {"labels": np.frombuffer(labels.encode(), dtype=np.uint8), "values": frame.to_numpy()}
    )
