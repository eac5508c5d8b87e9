"""From raw files to one table a modality and one clinical table."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.evaluation.cohort_figure import draw_cohort
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.barcodes import BarcodeRule
from tcga_coherent.omics.tables import check_overlap, count_patients, tabulate_patients

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
        Modality to a function that loads its samples x features; called one at a time.
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
    tables: dict[str, pd.DataFrame] = {}
    reports: list[pd.DataFrame] = []
    for name in names:
        tables[name], report = tabulate_patients(
            raw_modalities[name](), clinical["cancer_type"], barcodes, name
        )
        reports.append(report)
        logger.info("%s: %d patients x %d features", name, *tables[name].shape)
    check_overlap({name: table.index for name, table in tables.items()})
    return tables, pd.concat(reports, ignore_index=True)


def summarise_cohort(
    modality_tables: Loaders, clinical: pd.DataFrame, modalities: dict[str, Any]
) -> tuple[pd.DataFrame, Figure]:
    """Count patients by cancer type and modality: the paper's Table 4 and its figure."""
    configs = parse_modalities(modalities)
    patients = {name: modality_tables[name]().index for name in configs}
    table = count_patients(patients, clinical["cancer_type"])
    return table, draw_cohort(
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
