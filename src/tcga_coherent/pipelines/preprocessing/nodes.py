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
from tcga_coherent.modality import ModalityConfig, labels, parse_modalities
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
    table: pd.DataFrame,
    clinical: pd.DataFrame,
    config: ModalityConfig,
    preprocessing: PreprocessingConfig,
    modality: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find out which patients' measurements of a modality have failed.

    Returns
    -------
    present : DataFrame
        Index ``patient_id`` of the patients who are left, no column.
    excluded : DataFrame
        One row a patient and rule broken; see ``omics.features.outliers.find_outliers``.

    Raises
    ------
    ValueError
        When the modality has no patient.
    """
    if table.empty:
        raise ValueError(
            f"The table of {modality} has no patient. Set the modality to null under modalities, or repair its "
            f"data."
        )
    cancer_type = cancer_types_of(clinical).dropna()
    failed = exclude_patients(
        table, cancer_type, config, preprocessing.outlier_bounds(modality), modality=modality
    )
    present = table.index[~table.index.isin(failed["patient_id"])]
    rules = failed["rule"].value_counts()
    why = f"{', '.join(rules.index)}; see excluded_patients.csv and preprocessing.outliers"
    for message in describe_losses(table.index, present, cancer_type, modality, why):
        logger.warning("%s", message)
    odd = failed.loc[failed["rule"].isin(["level", "distance"]), "patient_id"]
    if odd.nunique() >= LOUD_SHARE * len(table):
        logger.warning("%s", _describe_values(table, modality))
    logger.info("%s: %d patients, %d left out", modality, len(table), len(table) - len(present))
    return pd.DataFrame(index=present), failed


def gather_presence(present: Tables, excluded: Tables) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join what is left of all modalities.

    Parameters
    ----------
    present, excluded
        Modality to a function that loads its :func:`find_outliers`.

    Returns
    -------
    presence : DataFrame
        Boolean, patients x modalities, index ``patient_id`` sorted; patients without any modality
        have no row.
    excluded_patients_table : DataFrame
        The excluded patients of all modalities.
    """
    measured = {modality: load().index for modality, load in present.items()}
    patients = pd.Index(sorted(set().union(*measured.values())), name="patient_id")
    presence = pd.DataFrame(
        {modality: patients.isin(index) for modality, index in measured.items()}, index=patients
    )
    excluded_patients = pd.DataFrame(
        [row for load in excluded.values() for row in load().itertuples(index=False)],
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
    presence: pd.DataFrame,
    clinical: pd.DataFrame,
    former: pd.DataFrame,
    given: pd.DataFrame,
    preprocessing: PreprocessingConfig,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split patients as a file says, or by cancer type; see ``omics.patients.splits``."""
    cancer_types = cancer_types_of(clinical)
    if len(given):
        return splits.assign_split(presence, cancer_types, given)
    return splits.split_patients(
        presence, cancer_types, preprocessing.split, preprocessing.seed, former
    )


def share_split(split: pd.DataFrame, presence: pd.DataFrame, modality: str) -> pd.DataFrame:
    """Return the split of the patients who have a modality, so that others change nothing in its lane."""
    return split[presence[modality]]


def preprocess_modality(
    table: pd.DataFrame,
    split: pd.DataFrame,
    excluded: pd.DataFrame,
    config: ModalityConfig,
    preprocessing: PreprocessingConfig,
    modality: str,
) -> tuple[pd.DataFrame, Checkpoint, pd.DataFrame]:
    """Fit a modality's steps on the training patients and apply them to all.

    Parameters
    ----------
    table
        Patients x features, in input units.
    split
        Split of the patients who are not excluded.
    excluded
        Second result of :func:`find_outliers`.
    config, preprocessing, modality
        Parameters and name of the modality.

    Returns
    -------
    processed : DataFrame
        Patients x features, float32, standardised, nothing missing.
    preprocessor : Checkpoint
        Fitted state; see ``omics.features.preprocessor.Preprocessor.from_state``.
    quality_control : DataFrame
        One row a step: what it removed and why, and how many cells were imputed.
    """
    train_ids = split.index[split["split"] == "train"]
    bounds = preprocessing.outlier_bounds(modality)
    exclusions = describe_exclusions(
        modality, outliers.applied_rules(config.steps, bounds), excluded, *table.shape
    )
    if not table.index.equals(split.index):
        table = table.loc[split.index]
    preprocessor = Preprocessor.fit(
        table,
        config,
        train_ids,
        modality=modality,
        neighbours=preprocessing.knn_neighbours,
        max_absent=preprocessing.max_absent_features,
        bounds=bounds,
    )
    scaled = preprocessor.scale(table)
    del table
    imputed_cells = int(np.isnan(scaled.to_numpy()).sum())
    processed = preprocessor.impute_cohort(scaled, train_ids, overwrite=True)
    logger.info(
        "%s: %d patients x %d features, %d cells imputed", modality, *scaled.shape, imputed_cells
    )
    steps = describe_preprocessing(modality, preprocessor.report, len(scaled), imputed_cells)
    quality_control = pd.concat([exclusions, steps], ignore_index=True)
    return processed, Checkpoint(*preprocessor.state()), quality_control


def gather_quality_control(rows: Tables) -> pd.DataFrame:
    """Join what every modality's lane reports of its preprocessing."""
    return order_columns(pd.concat([load() for load in rows.values()], ignore_index=True))


def plot_quality_control(
    quality_control_table: pd.DataFrame, split_table: pd.DataFrame, modalities: dict[str, Any]
) -> Drawing:
    """Draw what preprocessing removed and how patients were split."""
    configs = parse_modalities(modalities)
    return partial(
        draw_quality_control,
        quality_control_table,
        split_table,
        labels=labels(configs),
        colors={name: config.color for name, config in configs.items()},
    )


def check_outlier_keys(preprocessing: PreprocessingConfig, modalities: dict[str, Any]) -> None:
    """Raise a ValueError unless the outlier bounds have a default and known modalities."""
    unknown = sorted(set(preprocessing.outliers) - {"default", *modalities})
    if unknown or "default" not in preprocessing.outliers:
        raise ValueError(
            f"preprocessing.outliers must have the key default and else only modalities "
            f"({', '.join(modalities)}); it has {', '.join(preprocessing.outliers)}."
        )
