"""What preprocessing removed and filled in, one row a modality and step."""

import pandas as pd

from tcga_coherent.omics.features.outliers import Rule

# A patient without one can be in no stratified split.
NO_CANCER_TYPE = "no_cancer_type"

REASONS: dict[str, str] = {
    NO_CANCER_TYPE: "no cancer type in the clinical table",
    "missing_share": "share of missing features above the bound",
    "level": "median over the features too far from that of the other patients",
    "distance": "typical distance from the median profile too large",
    "library_size": "sum of counts too far from that of the other patients",
    "detected_features": "share of genes with counts too far from that of the other patients",
}

COLUMNS = [
    "modality",
    "step",
    "patients_before",
    "patients_after",
    "features_before",
    "features_after",
    "removed",
    "reason",
    "examples",
    "imputed_cells",
    "imputed_share",
]

# How many removed patients a row names.
EXAMPLES = 5


def describe_exclusions(
    modality: str, rules: list[Rule], excluded: pd.DataFrame, patients: int, features: int
) -> pd.DataFrame:
    """Count the patients that each rule excluded from a modality.

    Parameters
    ----------
    modality
        Name of the modality.
    rules
        Outlier rules that were applied, in their order.
    excluded
        Patients excluded from any modality, see ``outliers.find_outliers``. A patient who breaks
        several rules counts for the first.
    patients, features
        Size of the modality's table.
    """
    own = excluded[excluded["modality"] == modality]
    rows = []
    counted: set[str] = set()
    for rule in (NO_CANCER_TYPE, *rules):
        removed = [p for p in own.loc[own["rule"] == rule, "patient_id"] if p not in counted]
        counted.update(removed)
        rows.append(
            {
                "modality": modality,
                "step": rule,
                "patients_before": patients,
                "patients_after": patients - len(removed),
                "features_before": features,
                "features_after": features,
                "removed": len(removed),
                "reason": REASONS[rule] if removed else "",
                "examples": ", ".join(removed[:EXAMPLES]),
            }
        )
        patients -= len(removed)
    return pd.DataFrame(rows)


def describe_preprocessing(
    modality: str, report: pd.DataFrame, patients: int, imputed_cells: int
) -> pd.DataFrame:
    """Count the features that each step removed and the cells that imputation filled.

    Parameters
    ----------
    modality
        Name of the modality.
    report
        ``Preprocessor.report``.
    patients
        Patients of the processed table.
    imputed_cells
        Cells filled in it.
    """
    steps = report.drop(columns="patients").assign(
        modality=modality, patients_before=patients, patients_after=patients
    )
    features = int(report["features_after"].iloc[-1])
    imputation = pd.DataFrame(
        [
            {
                "modality": modality,
                "step": "impute",
                "patients_before": patients,
                "patients_after": patients,
                "features_before": features,
                "features_after": features,
                "removed": 0,
                "reason": "",
                "examples": "",
                "imputed_cells": imputed_cells,
                "imputed_share": imputed_cells / (patients * features),
            }
        ]
    )
    return pd.concat([steps, imputation], ignore_index=True)


def order_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a quality-control table with its columns in order."""
    table = table.reindex(columns=COLUMNS)
    return table.astype({"imputed_cells": "Int64"})
