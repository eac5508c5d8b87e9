"""One row a patient: from raw samples to modality tables, and what a cohort consists of."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tcga_coherent.omics.blocks import as_frame, column_blocks, take
from tcga_coherent.omics.patients.barcodes import CORRECTED, EXAMPLES, BarcodeRule, assign_patients
from tcga_coherent.omics.patients.suspects import find_sentinel, summary_rows

TOTAL = "TOTAL"


def tabulate_patients(
    samples: pd.DataFrame,
    cancer_types: pd.Series,
    rule: BarcodeRule,
    modality: str,
    *,
    overwrite: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reduce the samples of a modality to one row a patient.

    Parameters
    ----------
    samples
        Samples x features, index raw barcode.
    cancer_types
        Cancer type of every patient, index patient.
    rule
        Which samples stand for their patients, see :mod:`tcga_coherent.omics.patients.barcodes`. Several
        slides of a patient are averaged.
    modality
        Name of the modality, for the report and in errors.
    overwrite
        Make the table of the memory of `samples`, which hold anything afterwards.

    Returns
    -------
    table : pandas.DataFrame
        Patients x features, float32, index ``patient_id``, sorted.
    report : pandas.DataFrame
        ``modality``, ``reason``, ``n`` and ``examples``: samples found, dropped and averaged, and
        features that count reads of no gene, which are left out.

    Raises
    ------
    ValueError
        When barcodes are not understood, a patient has no cancer type, no patient with any value is
        left, or a value such as -999 stands for missing ones; naming the modality.
    """
    if (
        samples.columns.isin(cancer_types.index).any()
        and not samples.index.isin(cancer_types.index).any()
    ):
        raise ValueError(
            f"Modality {modality!r}: its features are called like patients, such as "
            f"{_examples(samples.columns[samples.columns.isin(cancer_types.index)])}: transpose the matrix "
            f"(`orientation` in the catalog)."
        )
    uncounted = summary_rows(samples.columns)
    counted = np.flatnonzero(~samples.columns.isin(uncounted))
    patients, dropped = name_patients(samples.index, cancer_types, rule, modality)
    patients = patients.sort_values(kind="stable")
    rows_of_samples = samples.index.get_indexer(patients.index)
    table = as_frame(
        take(samples.to_numpy(), rows_of_samples, counted, overwrite=overwrite),
        pd.Index(patients.to_numpy(), name="patient_id"),
        samples.columns[counted].rename(None),
    )
    averaged = patients[patients.duplicated(keep=False)]
    if len(averaged):
        table = table.groupby(level="patient_id").mean()
    values = table.to_numpy()
    measured = np.zeros(len(table), dtype=bool)
    for block in column_blocks(values.shape[1]):
        measured |= ~np.isnan(values[:, block]).all(axis=1)
    if not measured.any():
        raise ValueError(
            f"Modality {modality!r} has no patient with any value: {len(samples)} samples were found, "
            f"{int(dropped.loc[dropped['reason'] != CORRECTED, 'n'].sum())} dropped, {len(table)} patients hold missing values only. Check the "
            f"file and its orientation in the catalog."
        )
    sentinel = find_sentinel(values)
    if sentinel is not None:
        here = table == sentinel
        raise ValueError(
            f"Modality {modality!r}: the value {sentinel:g} stands in {int(here.to_numpy().sum())} cells of "
            f"{int(here.any().sum())} features, such as {_examples(table.columns[here.any()])}, far from all "
            f"others: it seems to mark missing values. Leave these cells empty."
        )
    rows = [
        ("samples found", len(samples), ""),
        ("features that count reads of no gene", len(uncounted), _examples(uncounted)),
        *dropped.itertuples(index=False, name=None),
        ("slides averaged with others of their patient", len(averaged), _examples(averaged.index)),
        ("patient without any value", int((~measured).sum()), _examples(table.index[~measured])),
        ("patients kept", int(measured.sum()), ""),
    ]
    report = pd.DataFrame(
        [(modality, *row) for row in rows if row[1]],
        columns=["modality", "reason", "n", "examples"],
    )
    return (table if measured.all() else table[measured]), report


def name_patients(
    samples: pd.Index, cancer_types: pd.Series, rule: BarcodeRule, modality: str
) -> tuple[pd.Series, pd.DataFrame]:
    """Choose the samples of a modality that stand for their patients; see :func:`assign_patients`.

    Raises
    ------
    ValueError
        As there, naming the modality.
    """
    try:
        return assign_patients(samples, cancer_types, rule)
    except ValueError as error:
        raise ValueError(
            f"Modality {modality!r}: {error}{_say_longer(samples, cancer_types.index)}"
            f"{_say_transposed(samples, cancer_types.index, rule)}"
        ) from error


def _say_transposed(barcodes: pd.Index, patients: pd.Index, rule: BarcodeRule) -> str:
    if rule.scheme == "tcga" or barcodes.isin(patients).any():
        return ""
    return (
        " None of its samples is a patient: if these are features, transpose the matrix (`orientation` in "
        "the catalog)."
    )


def _say_longer(barcodes: pd.Index, patients: pd.Index) -> str:
    """Say where names of samples are those of patients and more, as P001_A of the patient P001."""
    stems = barcodes.astype(str).str.replace(r"[-_.][^-_.]*$", "", regex=True)
    longer = barcodes[stems.isin(patients) & ~barcodes.isin(patients)]
    if not len(longer):
        return ""
    return (
        f" Names such as {longer[0]} begin with that of a patient: of slides, `patient_pattern` of the "
        f"catalog entry cuts it out."
    )


def check_overlap(patients: Mapping[str, pd.Index]) -> None:
    """Stop where a modality shares no patient with any other.

    Parameters
    ----------
    patients
        Modality to its patients.

    Raises
    ------
    ValueError
        Naming the modality, with examples of its patients.
    """
    for modality, own in patients.items():
        others = [index for name, index in patients.items() if name != modality]
        if others and not any(own.isin(index).any() for index in others):
            other = next(index for index in others)
            raise ValueError(
                f"No patient of modality {modality!r} (such as {_examples(own)}) is in any other modality "
                f"(such as {_examples(other)}): check that its barcodes name the same patients and that its "
                f"orientation in the catalog is right, or leave it out by setting it to null in the "
                f"parameters `modalities`."
            )


def count_patients(patients: Mapping[str, pd.Index], cancer_types: pd.Series) -> pd.DataFrame:
    """Count the patients of each cancer type by modality, as the paper's Table 4 does.

    Parameters
    ----------
    patients
        Modality to its patients.
    cancer_types
        Cancer type of every patient, index patient.

    Returns
    -------
    pandas.DataFrame
        One row a cancer type, the largest first, and a row TOTAL: ``cancer_type``, ``total`` (patients
        with any modality), one column a modality, ``complete`` (all modalities) and ``incomplete``.
    """
    everyone = pd.Index(
        np.unique(np.concatenate([index.to_numpy() for index in patients.values()]))
    )
    presence = pd.DataFrame({name: everyone.isin(index) for name, index in patients.items()})
    counts = presence.assign(total=True, complete=presence.all(axis=1))
    table = counts.groupby(cancer_types.loc[everyone].to_numpy()).sum()
    table = table.sort_values("total", ascending=False, kind="stable")
    table.loc[TOTAL] = table.sum()
    table["incomplete"] = table["total"] - table["complete"]
    table = table.rename_axis("cancer_type").reset_index()
    return table[["cancer_type", "total", *patients, "complete", "incomplete"]]


def _examples(names: pd.Index) -> str:
    return ", ".join(map(str, names[:EXAMPLES]))
