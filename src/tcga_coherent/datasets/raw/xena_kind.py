"""One modality of several cohorts: the files of one kind of the Xena hub, joined while they are read."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.matrix import read_matrix, read_sample_names
from tcga_coherent.omics.blocks import as_frame, column_blocks, empty_matrix

EXAMPLES = 3
SMALLEST_COMMON_SHARE = 0.1


def name_xena_samples(paths: Mapping[str, Path], kind: str) -> pd.Index:
    """Read the names of the samples of :func:`read_xena_kind` from the headers of the files.

    Raises
    ------
    DatasetError
        When a header cannot be read, or a sample is in two files.
    """
    samples = {cohort: read_sample_names(p, "features_by_samples") for cohort, p in paths.items()}
    everyone = pd.Index([sample for own in samples.values() for sample in own], name="sample")
    if everyone.is_unique:
        return everyone
    sample = everyone[everyone.duplicated()][0]
    cohorts = [cohort for cohort, own in samples.items() if sample in own]
    others = everyone.duplicated().sum() - 1
    raise DatasetError(
        f"Sample {sample!r} is in the {kind} files of the cohorts {', '.join(cohorts)}"
        f"{f' ({others} more samples likewise)' if others else ''}: leave it in one of them."
    )


def read_xena_kind(paths: Mapping[str, Path], kind: str) -> pd.DataFrame:
    """Read the files of one kind into one matrix, on the union of their features.

    How many samples there are is known from the headers, so that each file goes to its place as soon as it
    is read, and the values are in memory once, beside those of one file.

    Parameters
    ----------
    paths
        Cohort to its file, features x samples.
    kind
        What the hub calls these files, for messages.

    Returns
    -------
    pandas.DataFrame
        Samples x features, float32, index named ``sample``, columns named ``feature``; missing where a
        cohort's file lacks the feature.

    Raises
    ------
    DatasetError
        When a file cannot be read as a matrix, a sample is in two of them, or one has next to no feature in
        common with the others.
    """
    samples = name_xena_samples(paths, kind)
    features: pd.Index = pd.Index([], dtype=object)
    values = empty_matrix(len(samples), 0)
    places: dict[str, np.ndarray] = {}
    index: list[str] = []
    for cohort, path in paths.items():
        frame = read_matrix(path, "features_by_samples")
        new = frame.columns[~frame.columns.isin(features)]
        if len(new):
            features = pd.Index([*features, *new])
            values = _widen(values, len(features))
        places[cohort] = features.get_indexer(frame.columns)
        own = slice(len(index), len(index) + len(frame))
        for block in column_blocks(frame.shape[1]):
            values[own, places[cohort][block]] = frame.to_numpy()[:, block]
        index += list(frame.index)
        del frame
    _refuse_other_kinds(places, features, kind)
    return as_frame(values, pd.Index(index, name="sample"), features.rename("feature"))


def _widen(values: np.ndarray, features: int) -> np.ndarray:
    """Return samples x `features` that begins with `values`, missing in the new ones."""
    wider = empty_matrix(len(values), features)
    wider[:, : values.shape[1]] = values
    wider[:, values.shape[1] :] = np.nan
    return wider


def _refuse_other_kinds(places: Mapping[str, np.ndarray], features: pd.Index, kind: str) -> None:
    """Stop where a cohort shares next to no feature with the others: its file is of another kind."""
    cohorts = np.zeros(len(features), dtype=int)
    for own in places.values():
        cohorts[own] += 1
    for cohort, own in places.items():
        shared = (cohorts[own] > 1).sum()
        elsewhere = cohorts.copy()
        elsewhere[own] -= 1
        others = features[elsewhere > 0]
        if len(others) and shared < SMALLEST_COMMON_SHARE * min(len(own), len(others)):
            examples = ", ".join(map(str, features[own[:EXAMPLES]]))
            rest = ", ".join(list(map(str, sorted(others)))[:EXAMPLES])
            raise DatasetError(
                f"The {kind} file of cohort {cohort} has nothing in common with those of the other cohorts: "
                f"its features are {examples}, theirs {rest}. One of them is a file of another kind: delete "
                f"it to download it again."
            )
