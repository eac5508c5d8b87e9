"""From raw files to one table a modality and one clinical table."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.figures.cohort import draw_cohort
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.patients.barcodes import EXAMPLES, BarcodeRule, parse_barcodes
from tcga_coherent.omics.patients.clinical import cancer_types_of
from tcga_coherent.omics.patients.losses import describe_losses
from tcga_coherent.omics.patients.suspects import describe_other_features
from tcga_coherent.omics.patients.tables import (
    TOTAL,
    check_overlap,
    count_patients,
    tabulate_patients,
)
from tcga_coherent.omics.patients.tumours import choose_tumours, other_tumours

logger = logging.getLogger(__name__)

Loaders = Mapping[str, Callable[[], pd.DataFrame]]


def tabulate_modalities(
    raw_modalities: Loaders,
    clinical: pd.DataFrame,
    modalities: dict[str, Any],
    barcodes: BarcodeRule,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Reduce each modality to one row a patient; report what was dropped.

    Parameters
    ----------
    raw_modalities
        Modality to a function that loads its samples x features; called one at a time, and once more
        where patients have another tumour in other modalities.
    clinical
        Index ``patient_id``, with ``cancer_type``.
    modalities
        The ``modalities`` parameters. One that is null is left out.
    barcodes
        Which samples stand for their patients.

    Returns
    -------
    tables : dict
        Modality to patients x features, float32, index ``patient_id``, sorted.
    report : pandas.DataFrame
        ``modality``, ``reason``, ``n`` and ``examples``.

    Raises
    ------
    ValueError
        When the modalities of data and parameters differ, or a modality cannot be used.
    """
    names = list(parse_modalities(modalities))
    _check_names(raw_modalities, modalities)
    cancer_types = cancer_types_of(clinical)
    tables: dict[str, pd.DataFrame] = {}
    reports: dict[str, list[pd.DataFrame]] = {}
    samples_of: dict[str, pd.Index] = {}
    for name in names:
        samples = raw_modalities[name]()
        tables[name], report = tabulate_patients(samples, cancer_types, barcodes, name)
        samples_of[name], reports[name] = samples.index, [report]
        del samples
        logger.info("%s: %d patients x %d features", name, *tables[name].shape)
    tumours = choose_tumours(samples_of, cancer_types, barcodes)
    for name in names:
        other = other_tumours(samples_of[name], tumours, barcodes)
        if len(other):
            # Known only once all modalities were seen, which are too large to keep as they are read.
            samples = raw_modalities[name]().drop(index=other)
            tables[name], report = tabulate_patients(samples, cancer_types, barcodes, name)
            reason = "another tumour of the patient than in the other modalities"
            row = (name, reason, len(other), ", ".join(other[:EXAMPLES]))
            reports[name] = [pd.DataFrame([row], columns=report.columns), report]
            logger.warning("%s: %d samples are of %s", name, len(other), reason)
    for name in names:
        _warn(name, samples_of[name], tables[name], cancer_types, barcodes)
    check_overlap({name: table.index for name, table in tables.items()})
    everyone = set().union(*(table.index for table in tables.values()))
    without = cancer_types.groupby(cancer_types).apply(
        lambda types: not everyone & set(types.index)
    )
    if without.any():
        logger.warning(
            "No patient of %s is in any modality: check their cancer type and the names of their samples",
            ", ".join(without.index[without]),
        )
    return tables, pd.concat([part for name in names for part in reports[name]], ignore_index=True)


def _warn(
    modality: str,
    samples: pd.Index,
    table: pd.DataFrame,
    cancer_types: pd.Series,
    barcodes: BarcodeRule,
) -> None:
    """Warn of cancer types that lose their patients, and of sources that name features differently."""
    patients = pd.Index(parse_barcodes(samples, barcodes.scheme)["patient"].unique())
    why = "see ingestion_report.csv for the samples that were dropped and why"
    for message in describe_losses(patients, table.index, cancer_types, modality, why):
        logger.warning("%s", message)
    other_features = describe_other_features(table, cancer_types, modality)
    if other_features:
        logger.warning("%s", other_features)


def summarise_cohort(
    modality_tables: Loaders, clinical: pd.DataFrame, modalities: dict[str, Any]
) -> tuple[pd.DataFrame, Drawing]:
    """Count patients by cancer type and modality: the paper's Table 4 and its figure.

    Raises
    ------
    ValueError
        When a cancer type is called as the row of totals is.
    """
    configs = parse_modalities(modalities)
    patients = {name: modality_tables[name]().index for name in configs}
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
        labels={name: config.label for name, config in configs.items()},
        colors={name: config.color for name, config in configs.items()},
    )


def _check_names(raw_modalities: Loaders, modalities: Mapping[str, Any]) -> None:
    unknown = sorted(set(raw_modalities) - set(modalities))
    if unknown:
        raise ValueError(
            f"The raw data name the unknown modality {', '.join(map(repr, unknown))}: the parameters "
            f"`modalities` know {', '.join(modalities)}. Add it there, or take it out of the catalog entry "
            f"raw_modalities."
        )
    wanted = [name for name, settings in modalities.items() if settings is not None]
    without_data = [name for name in wanted if name not in raw_modalities]
    if without_data:
        raise ValueError(
            f"The parameters `modalities` name the unknown modality {', '.join(map(repr, without_data))}: "
            f"the raw data hold {', '.join(raw_modalities)}. Add it to the catalog entry raw_modalities, or "
            f"set it to null."
        )
