"""Processed values as the units of the raw files: the preprocessing of conf/base, turned around."""

import numpy as np
import pandas as pd

from tcga_coherent.simulation.settings import ModalitySpec

# Reads of a usual RNA-Seq library.
LIBRARY_SIZE = 2e7
COUNTS_PER_MILLION = 1e6
# Takes all reads that the simulated genes leave, so that counts per million are those of the model.
REMAINDER_GENE = "ENSG99999999999.1"


def to_raw_units(
    processed: pd.DataFrame,
    modality: str,
    spec: ModalitySpec,
    library_size: np.ndarray | float = LIBRARY_SIZE,
) -> pd.DataFrame:
    """Return features in the units of the modality's files.

    Parameters
    ----------
    processed
        Any rows x the features that follow the model, processed scale.
    modality
        Name, for the names of further features.
    spec
        The modality's settings.
    library_size
        Reads of each row, for scale ``log2_cpm``; counts per million do not depend on it but for
        rounding to whole counts.

    Returns
    -------
    DataFrame
        The same rows x all features of the files. Scale ``log2_cpm`` adds :data:`REMAINDER_GENE`;
        discarded features hold no count (``log2_cpm``) or are missing.

    Raises
    ------
    ValueError
        When expression levels are so high that counts per million exceed a million.
    """
    values = processed.to_numpy(dtype=float)
    if spec.scale == "log2_cpm":
        raw = _to_log2_counts(values, modality, np.broadcast_to(library_size, len(values)))
        features = processed.columns.append(pd.Index([REMAINDER_GENE]))
        discarded = 0.0
    else:
        raw = 2.0 * np.exp2(values) if spec.scale == "log2_copy_ratio" else values
        features = processed.columns
        discarded = np.nan
    filler = np.full((len(raw), spec.discarded_features), discarded)
    return pd.DataFrame(
        np.hstack([raw, filler]),
        index=processed.index,
        columns=features.append(name_discarded_features(modality, spec)),
    )


def name_discarded_features(modality: str, spec: ModalitySpec) -> pd.Index:
    """Return the names of the features that preprocessing must remove."""
    prefix = f"{modality}_unmeasured" if spec.scale == "unchanged" else "ENSG8"
    digits, version = (3, "") if spec.scale == "unchanged" else (10, ".1")
    return pd.Index(
        [f"{prefix}{number:0{digits}d}{version}" for number in range(spec.discarded_features)],
        dtype=object,
    )


def _to_log2_counts(values: np.ndarray, modality: str, library_size: np.ndarray) -> np.ndarray:
    """Turn log2(CPM + 1) into log2(count + 1), with the remainder as last column."""
    cpm = np.exp2(np.maximum(values, 0.0)) - 1.0
    remainder = COUNTS_PER_MILLION - cpm.sum(axis=1)
    if (remainder <= 0).any():
        raise ValueError(
            f"Modality {modality!r} adds up to more than a million counts per million: lower "
            f"simulation.modalities.{modality}.level, its spread or its number of features."
        )
    cpm = np.column_stack([cpm, remainder])
    counts = np.round(cpm * library_size[:, np.newaxis] / COUNTS_PER_MILLION)
    return np.log2(counts + 1.0)
