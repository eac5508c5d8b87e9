"""Matrices of patients that no model has seen, recognised by their features."""

import numpy as np
import pandas as pd

from tcga_coherent.omics.barcodes import BarcodeRule, parse_barcodes
from tcga_coherent.omics.tables import tabulate_patients

# New patients come without a clinical table; a metastasis stands for a patient who has no primary.
_ANY_TYPE = "any"


def tabulate_new_patients(matrix: pd.DataFrame, features: pd.Index, modality: str) -> pd.DataFrame:
    """Bring a matrix of new patients to patients x features.

    Parameters
    ----------
    matrix
        Features x samples or samples x features: the axis that holds the known features is taken
        for the features. Their names may be the index or the first column.
    features
        Features that the models were trained on.
    modality
        For messages.

    Returns
    -------
    pandas.DataFrame
        Patients x features, float32, index ``patient_id``. Sample barcodes are reduced to patients
        by the rule of :mod:`tcga_coherent.omics.barcodes` where all are TCGA's, and are taken for
        patients otherwise.

    Raises
    ------
    ValueError
        When no known feature is found, a name occurs twice, or a cell is not a number.
    """
    if isinstance(matrix.index, pd.RangeIndex) and not pd.api.types.is_numeric_dtype(
        matrix.dtypes.iloc[0]
    ):
        matrix = matrix.set_index(matrix.columns[0])
    in_rows, in_columns = matrix.index.isin(features).sum(), matrix.columns.isin(features).sum()
    if not max(in_rows, in_columns):
        raise ValueError(
            f"{modality}.parquet holds none of the {len(features)} features that the models were "
            f"trained on, such as {', '.join(map(str, features[:3]))}. Lay it out as the raw matrix of "
            f"this environment."
        )
    samples = matrix.T if in_rows > in_columns else matrix
    for names, kind in ((samples.index, "sample"), (samples.columns, "feature")):
        if names.has_duplicates:
            twice = names[names.duplicated()][0]
            raise ValueError(
                f"{modality}.parquet holds the {kind} {twice!r} more than once. Keep one of them."
            )
    samples = _numeric(samples, modality)
    samples.index = samples.index.astype(str)
    try:
        patients = parse_barcodes(samples.index, "tcga")["patient"]
        rule = BarcodeRule(scheme="tcga", metastatic_types=(_ANY_TYPE,))
    except ValueError:
        patients = pd.Series(samples.index)
        rule = BarcodeRule(scheme="plain")
    types = pd.Series(_ANY_TYPE, index=patients.unique())
    table, _ = tabulate_patients(samples, types, rule, modality)
    return table


def _numeric(samples: pd.DataFrame, modality: str) -> pd.DataFrame:
    try:
        return samples.astype(np.float32)
    except ValueError:
        for feature, column in samples.items():
            bad = column[pd.to_numeric(column, errors="coerce").isna() & column.notna()]
            if len(bad):
                raise ValueError(
                    f"{modality}.parquet holds the text {bad.iloc[0]!r} for sample {bad.index[0]!r}, "
                    f"feature {feature!r}. Leave the cell empty where nothing was measured."
                ) from None
        raise
