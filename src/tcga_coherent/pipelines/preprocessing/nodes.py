"""Nodes of the preprocessing."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.figures.quality_control import draw_quality_control
from tcga_coherent.modality import ModalityConfig, parse_modalities
from tcga_coherent.omics.features import outliers
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.omics.features.quality_control import (
    NO_CANCER_TYPE,
    describe_exclusions,
    describe_preprocessing,
    order_columns,
)
from tcga_coherent.omics.patients import splits
from tcga_coherent.omics.patients.clinical import cancer_types_of
from tcga_coherent.omics.patients.losses import LOUD_SHARE, describe_losses

logger = logging.getLogger(__name__)

Tables = Mapping[str, Callable[[], pd.DataFrame]]
Bounds = dict[outliers.Rule, float | None]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PreprocessingConfig:
    """The ``preprocessing`` parameters.

    Attributes
    ----------
    seed
        Seed of the split.
    outliers
        Outlier bounds, see ``omics.outliers``: those of ``default``, and under a modality's name
        those in which it differs.
    split
        How patients are split.
    knn_neighbours
        Number of donors the ``knn`` imputer averages.
    max_absent_features
        Largest share of a modality's processed features that a new patient's table may lack.
    """

    seed: int
    outliers: dict[str, Bounds]
    split: splits.SplitConfig = field(default_factory=splits.SplitConfig)
    knn_neighbours: int = 5
    max_absent_features: float = 0.1

    def outlier_bounds(self, modality: str) -> Bounds:
        """Return the outlier bounds of a modality."""
        return {**self.outliers["default"], **self.outliers.get(modality, {})}


def find_outliers(
    modality_tables: Tables,
    clinical: pd.DataFrame,
    modalities: dict[str, Any],
    preprocessing: PreprocessingConfig,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find out which patients have which modality, failed measurements left out.

    Returns
    -------
    presence : DataFrame
        Boolean, patients x modalities, index ``patient_id`` sorted; patients without any modality
        have no row.
    excluded_patients_table : DataFrame
        One row a patient, modality and rule broken; see ``omics.outliers.find_outliers``.

    Raises
    ------
    ValueError
        When a modality has no table or no patient, or the parameters name an unknown modality.
    """
    configs = parse_modalities(modalities)
    check_outlier_keys(preprocessing, modalities)
    cancer_type = cancer_types_of(clinical).dropna()
    measured: dict[str, pd.Index] = {}
    excluded: list[pd.DataFrame] = []
    for name, config in configs.items():
        table = load_table(modality_tables, name)
        failed = exclude_patients(
            table, cancer_type, config, preprocessing.outlier_bounds(name), modality=name
        )
        measured[name] = table.index[~table.index.isin(failed["patient_id"])]
        excluded.append(failed)
        rules = failed["rule"].value_counts()
        why = f"{', '.join(rules.index)}; see excluded_patients.csv and preprocessing.outliers"
        for message in describe_losses(table.index, measured[name], cancer_type, name, why):
            logger.warning("%s", message)
        odd = failed.loc[failed["rule"].isin(["level", "distance"]), "patient_id"]
        if len(table) and odd.nunique() >= LOUD_SHARE * len(table):
            logger.warning("%s", _describe_values(table, name))
        logger.info(
            "%s: %d patients, %d left out", name, len(table), len(table) - len(measured[name])
        )
    patients = pd.Index(sorted(set().union(*measured.values())), name="patient_id")
    presence = pd.DataFrame(
        {name: patients.isin(index) for name, index in measured.items()}, index=patients
    )
    excluded_patients = pd.DataFrame(
        [row for part in excluded for row in part.itertuples(index=False)],
        columns=outliers.COLUMNS,
    )
    lost = excluded_patients.loc[~excluded_patients["patient_id"].isin(patients), "patient_id"]
    logger.info("%d patients have a modality, %d have none left", len(patients), lost.nunique())
    return presence, excluded_patients


def _describe_values(table: pd.DataFrame, modality: str) -> str:
    """Doubt the units of a modality that many patients leave, as where copies are taken for log ratios."""
    values = table.to_numpy()
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    return (
        f"{modality}: so many outliers look like values in other units than modalities.{modality}.steps "
        f"expect: they lie between {low:g} and {high:g}, with a median of {np.nanmedian(values):.3g}"
    )


def exclude_patients(
    table: pd.DataFrame,
    cancer_type: pd.Series,
    config: ModalityConfig,
    bounds: Bounds,
    *,
    modality: str,
) -> pd.DataFrame:
    """List the outliers of a modality and the patients whose cancer type is unknown.

    Raises
    ------
    ValueError
        When the cancer type of no patient is known.
    """
    known = table.index.isin(cancer_type.index)
    if not known.any():
        raise ValueError(
            f"{modality}: none of its {len(table)} patients has a cancer type in the clinical table. "
            f"Check that both use the same patient barcodes."
        )
    failed = outliers.find_outliers(
        table if known.all() else table[known], config.steps, bounds, modality=modality
    )
    untyped = [
        (modality, patient, NO_CANCER_TYPE, None, None, None)
        for patient in table.index[~known].sort_values()
    ]
    return pd.DataFrame([*untyped, *failed.itertuples(index=False)], columns=outliers.COLUMNS)


def split_patients(
    presence: pd.DataFrame, clinical: pd.DataFrame, preprocessing: PreprocessingConfig
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split patients by cancer type; see ``omics.splits.split_patients``."""
    return splits.split_patients(
        presence, cancer_types_of(clinical), preprocessing.split, preprocessing.seed
    )


def preprocess_modalities(
    modality_tables: Tables,
    presence: pd.DataFrame,
    split: pd.DataFrame,
    excluded_patients_table: pd.DataFrame,
    modalities: dict[str, Any],
    preprocessing: PreprocessingConfig,
) -> tuple[dict[str, pd.DataFrame], dict[str, Checkpoint], pd.DataFrame]:
    """Fit each modality's steps on the training patients and apply them to all.

    Returns
    -------
    processed : dict of str to DataFrame
        Patients x features, float32, standardised, nothing missing.
    preprocessors : dict of str to Checkpoint
        Fitted state; see ``omics.preprocessor.Preprocessor.from_state``.
    quality_control_table : DataFrame
        One row a modality and step: what it removed and why, and how many cells were imputed.
    """
    train_ids = split.index[split["split"] == "train"]
    processed, preprocessors, rows = {}, {}, []
    for name, config in parse_modalities(modalities).items():
        table = load_table(modality_tables, name)
        rules = outliers.applied_rules(config.steps, preprocessing.outlier_bounds(name))
        rows.append(describe_exclusions(name, rules, excluded_patients_table, *table.shape))
        table = table.loc[presence.index[presence[name]]]
        preprocessor = Preprocessor.fit(
            table,
            config,
            train_ids,
            modality=name,
            neighbours=preprocessing.knn_neighbours,
            max_absent=preprocessing.max_absent_features,
            bounds=preprocessing.outlier_bounds(name),
        )
        scaled = preprocessor.scale(table)
        del table
        processed[name] = preprocessor.impute_cohort(scaled, train_ids)
        imputed_cells = int(np.isnan(scaled.to_numpy()).sum())
        rows.append(describe_preprocessing(name, preprocessor.report, len(scaled), imputed_cells))
        preprocessors[name] = Checkpoint(*preprocessor.state())
        logger.info(
            "%s: %d patients x %d features, %d cells imputed", name, *scaled.shape, imputed_cells
        )
    return processed, preprocessors, order_columns(pd.concat(rows, ignore_index=True))


def plot_quality_control(
    quality_control_table: pd.DataFrame, split_table: pd.DataFrame, modalities: dict[str, Any]
) -> Drawing:
    """Draw what preprocessing removed and how patients were split."""
    configs = parse_modalities(modalities)
    return partial(
        draw_quality_control,
        quality_control_table,
        split_table,
        labels={name: config.label for name, config in configs.items()},
        colors={name: config.color for name, config in configs.items()},
    )


def load_table(modality_tables: Tables, name: str) -> pd.DataFrame:
    """Load one modality's table."""
    if name not in modality_tables:
        raise ValueError(
            f"There is no table of modality {name}; there are {', '.join(sorted(modality_tables))}. "
            f"Run the ingestion pipeline, or set modalities.{name} to null."
        )
    return modality_tables[name]()


def check_outlier_keys(preprocessing: PreprocessingConfig, modalities: dict[str, Any]) -> None:
    """Raise a ValueError unless the outlier bounds have a default and known modalities."""
    unknown = sorted(set(preprocessing.outliers) - {"default", *modalities})
    if unknown or "default" not in preprocessing.outliers:
        raise ValueError(
            f"preprocessing.outliers must have the key default and else only modalities "
            f"({', '.join(modalities)}); it has {', '.join(preprocessing.outliers)}."
        )
