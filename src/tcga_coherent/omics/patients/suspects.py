"""What looks like a mistake in the values or names of a modality's table."""

import re

import numpy as np
import pandas as pd

from tcga_coherent.omics.blocks import column_blocks
from tcga_coherent.omics.patients.barcodes import EXAMPLES

# STAR and HTSeq append these to the genes: reads that belong to none.
SUMMARY_ROWS = re.compile(
    r"^(?:N_(?:unmapped|multimapping|noFeature|ambiguous)|"
    r"__(?:no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique))$"
)
SMALLEST_SENTINEL = 9
# A value that stands for nothing measured comes again and again.
FEWEST_REPEATS = 3


def summary_rows(features: pd.Index) -> pd.Index:
    """Return the features that count reads of no gene."""
    return pd.Index([name for name in features if SUMMARY_ROWS.match(str(name))])


def find_sentinel(values: np.ndarray) -> float | None:
    """Find a value that stands for a missing one, such as -999.

    It is a whole number, the smallest or the largest value, found in several patients and features, and
    farther from all other values than these are from each other.

    Parameters
    ----------
    values
        Patients x features.
    """
    if not values.size:
        return None
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    for value in (low, high):
        # Missing where every value is.
        if not abs(value) >= SMALLEST_SENTINEL or not float(value).is_integer():
            continue
        in_patients, in_features = np.zeros(len(values), dtype=bool), 0
        nearest_low, nearest_high = np.inf, -np.inf
        for block in column_blocks(values.shape[1]):
            part = values[:, block]
            here = part == value
            in_patients |= here.any(axis=1)
            in_features += here.any(axis=0).sum()
            nearest_low = np.fmin.reduce(part, axis=None, where=~here, initial=nearest_low)
            nearest_high = np.fmax.reduce(part, axis=None, where=~here, initial=nearest_high)
        if min(in_patients.sum(), in_features) < FEWEST_REPEATS:
            continue
        gap = nearest_low - value if value == low else value - nearest_high
        if 0 < nearest_high - nearest_low < gap:
            return float(value)
    return None


def describe_other_features(
    table: pd.DataFrame, cancer_types: pd.Series, modality: str
) -> str | None:
    """Describe patients whose measured features are mostly not those of the other patients.

    Two sources that name the same proteins differently, or a file of another kind among those of a
    modality, look like this.

    Parameters
    ----------
    table
        Patients x features, missing where the patient's source does not have the feature.
    cancer_types
        Cancer type of patients, index patient.
    modality
        Name of the modality.

    Returns
    -------
    str or None
        A sentence with the number of patients, their cancer types and the first features of both; None
        where all patients share features.
    """
    measured = table.notna().to_numpy()
    usual = measured.mean(axis=0) >= 0.5
    if usual.all() or not usual.any():
        return None
    of_usual = measured[:, usual].sum(axis=1)
    odd = measured.sum(axis=1) > 2 * of_usual
    if not odd.any():
        return None
    types = sorted(map(str, set(cancer_types.reindex(table.index[odd]).dropna())))
    theirs = table.columns[measured[odd].any(axis=0) & ~usual]
    return (
        f"{modality}: {odd.sum()} of {len(table)} patients, of {', '.join(types)}, have other features "
        f"({', '.join(map(str, theirs[:EXAMPLES]))}, ...) than the rest "
        f"({', '.join(map(str, table.columns[usual][:EXAMPLES]))}, ...): do their sources name features "
        f"differently? Give both the same names, or these patients are lost as outliers"
    )
