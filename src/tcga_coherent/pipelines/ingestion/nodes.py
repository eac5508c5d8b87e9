"""From raw files to one table a modality and one clinical table."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.datasets.raw.raw_modality import RawSamples
from tcga_coherent.figures.cohort import draw_cohort
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.modality import labels, parse_modalities
from tcga_coherent.omics.patients.barcodes import EXAMPLES, BarcodeRule, parse_barcodes
from tcga_coherent.omics.patients.clinical import cancer_types_of
from tcga_coherent.omics.patients.losses import describe_losses
from tcga_coherent.omics.patients.suspects import describe_other_features
from tcga_coherent.omics.patients.tables import (
    TOTAL,
    check_overlap,
    count_patients,
    name_patients,
    tabulate_patients,
)
from tcga_coherent.omics.patients.tumours import choose_tumours, other_tumours

logger = logging.getLogger(__name__)

Loaders = Mapping[str, Callable[[], pd.DataFrame]]


def list_samples(raw: RawSamples) -> pd.DataFrame:
    """Read the names of a modality's samples, the column ``sample``, before anything large is read."""
    return pd.DataFrame({"sample": raw.names()})


def check_samples(samples: Loaders, clinical: pd.DataFrame, barcodes: BarcodeRule) -> pd.DataFrame:
    """Check the names of all modalities' samples, and find those of another tumour of their patient.

    Parameters
    ----------
    samples
        Modality to a function that loads its :func:`list_samples`.
    clinical
        Index ``patient_id``, with ``cancer_type``.
    barcodes
        Which samples stand for their patients.

    Returns
    -------
    DataFrame
        ``modality`` and ``sample`` of the samples to leave out.

    Raises
    ------
    ValueError
        When names are not understood, a patient has no cancer type, or a modality shares no patient with
        any other; naming the modality.
    """
    cancer_types = cancer_types_of(clinical)
    names = {modality: pd.Index(load()["sample"]) for modality, load in samples.items()}
    patients = {
        modality: pd.Index(name_patients(index, cancer_types, barcodes, modality)[0].unique())
        for modality, index in names.items()
    }
    # A modality without any is told of with its reasons where its samples are dropped.
    check_overlap({name: index for name, index in patients.items() if len(index)})
    everyone = set().union(*patients.values())
    types = cancer_types.groupby(cancer_types).groups
    without = [str(name) for name, members in types.items() if not everyone.intersection(members)]
    if without:
        logger.warning(
            "No patient of %s is in any modality: check their cancer type and the names of their samples",
            ", ".join(without),
        )
    tumours = choose_tumours(names, cancer_types, barcodes)
    return pd.DataFrame(
        [
            (modality, sample)
            for modality, index in names.items()
            for sample in other_tumours(index, tumours, barcodes)
        ],
        columns=["modality", "sample"],
    )


def tabulate_modality(
    raw: RawSamples,
    other_tumour: pd.DataFrame,
    clinical: pd.DataFrame,
    barcodes: BarcodeRule,
    modality: str,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Reduce a modality to one row a patient; report what was dropped.

    Parameters
    ----------
    raw
        What reads its samples.
    other_tumour
        Result of :func:`check_samples`.
    clinical, barcodes
        As of :func:`check_samples`.
    modality
        Its name.

    Returns
    -------
    table : pandas.DataFrame
        Patients x features, float32, index ``patient_id``, sorted.
    measured : pandas.DataFrame
        The same index, no column.
    report : pandas.DataFrame
        ``modality``, ``reason``, ``n`` and ``examples``.

    Raises
    ------
    ValueError
        When the modality cannot be used.
    """
    cancer_types = cancer_types_of(clinical)
    samples = raw.read()
    everyone = pd.Index(parse_barcodes(samples.index, barcodes.scheme)["patient"].unique())
    own = other_tumour.loc[other_tumour["modality"] == modality, "sample"]
    other = samples.index[samples.index.isin(own)]
    if len(other):
        samples = samples.drop(index=other)
    table, report = tabulate_patients(samples, cancer_types, barcodes, modality, overwrite=True)
    del samples
    if len(other):
        reason = "another tumour of the patient than in the other modalities"
        row = (modality, reason, len(other), ", ".join(other[:EXAMPLES]))
        report = pd.concat([pd.DataFrame([row], columns=report.columns), report], ignore_index=True)
        logger.warning("%s: %d samples are of %s", modality, len(other), reason)
    why = "see ingestion_report.csv for the samples that were dropped and why"
    for message in describe_losses(everyone, table.index, cancer_types, modality, why):
        logger.warning("%s", message)
    other_features = describe_other_features(table, cancer_types, modality)
    if other_features:
        logger.warning("%s", other_features)
    logger.info("%s: %d patients x %d features", modality, *table.shape)
    return table, pd.DataFrame(index=table.index), report


def summarise_cohort(
    measured: Loaders, clinical: pd.DataFrame, modalities: dict[str, Any]
) -> tuple[pd.DataFrame, Drawing]:
    """Count patients by cancer type and modality: the paper's Table 4 and its figure.

    Raises
    ------
    ValueError
        When a cancer type is called as the row of totals is.
    """
    configs = parse_modalities(modalities)
    patients = {name: measured[name]().index for name in configs}
    cancer_types = cancer_types_of(clinical)
    if TOTAL in cancer_types.to_numpy():
        raise ValueError(
            f"The cancer type {TOTAL} would be taken for the row of totals of table4_cohort: give it another "
            f"name in the clinical table."
        )
    table = count_patients(patients, cancer_types)
    return table, partial(
        draw_cohort,
        table,
        labels=labels(configs),
        colors={name: config.color for name, config in configs.items()},
    )
