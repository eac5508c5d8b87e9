"""One modality from input units to standardised features without gaps, and back."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.modality import ModalityConfig
from tcga_coherent.omics.blocks import as_frame, empty_matrix, take
from tcga_coherent.omics.features.feature_filters import FeatureFilter
from tcga_coherent.omics.features.imputation import (
    impute_among_patients,
    impute_with_medians,
)
from tcga_coherent.omics.features.outliers import (
    MAD_TO_SD,
    MeasuredPatients,
    Rule,
    UsualPatients,
    applied_rules,
    learn_usual_patients,
    measure_patients,
)
from tcga_coherent.omics.features.steps import (
    IMPLIED_STEPS,
    KNOWN_STEPS,
    build_step,
    build_steps,
    describe_step,
    leading_row_wise,
    with_implied_steps,
)
from tcga_coherent.omics.features.transforms import (
    Log2CountsToCpm,
    Transform,
    bind_steps,
    column_parts,
    forward_parts,
)
from tcga_coherent.omics.features.units import UsualUnits, learn_units, looked_at
from tcga_coherent.omics.patients.table_checks import as_float32, check_table

logger = logging.getLogger(__name__)

# How many removed features the report names.
EXAMPLES = 5
# No measurement lies a million times farther from the others than these do from each other.
ABSURD = 1e6
USUAL_ARRAYS = ("medians", "spreads", "usual", "detected", "bounds", "centers", "scales")


@dataclass(frozen=True, eq=False)
class Preprocessor:
    """Fitted steps, scaling and imputation of one modality.

    Made by `fit` or `from_state`. Everything is fitted on training patients alone, and no patient's
    row is kept.

    Attributes
    ----------
    modality
        Name of the modality.
    input_features
        Features of the table it was fitted on.
    steps
        Fitted transforms, those that every modality has included.
    imputer
        ``knn`` or ``median``.
    neighbours
        Number of donors the ``knn`` imputer of the cohort averages.
    max_absent
        Largest share of `features` that a table may lack altogether.
    medians
        Median of each of `features` over the training patients, in standardised units.
    usual
        What new patients are held against: the outlier rules of the cohort.
    units
        How values are distributed, to notice other units.
    report
        One row a step: ``step``, ``patients`` (training patients it was fitted on),
        ``features_before``, ``features_after``, ``removed``, ``reason`` and ``examples``.
    """

    modality: str
    input_features: pd.Index
    steps: list[Transform]
    imputer: str
    neighbours: int
    max_absent: float
    medians: np.ndarray
    usual: UsualPatients
    units: UsualUnits
    report: pd.DataFrame

    @property
    def features(self) -> pd.Index:
        """Features of the processed table."""
        return self.steps[-1].output_features

    @classmethod
    def fit(
        cls,
        table: pd.DataFrame,
        config: ModalityConfig,
        train_ids: pd.Index,
        *,
        modality: str,
        neighbours: int = 5,
        max_absent: float = 0.1,
        bounds: Mapping[Rule, float | None] | None = None,
    ) -> "Preprocessor":
        """Fit the steps of `config` on the training patients of `table`.

        Parameters
        ----------
        table
            Patients x features in input units; index ``patient_id``.
        config
            Steps and imputer of the modality.
        train_ids
            Training patients; those without a row in `table` are passed over.
        modality
            Name of the modality, for messages.
        neighbours
            Number of donors the ``knn`` imputer averages.
        max_absent
            Largest share of the processed features that a later table may lack.
        bounds
            Outlier bounds, by which new patients are judged too; see :mod:`tcga_coherent.omics.features.outliers`.

        Raises
        ------
        ValueError
            When patients or features occur twice, a value is infinite, absurd or text, no training
            patient has the modality, a step is unknown, or a step removes all features.
        """
        check_table(table, modality)
        steps = with_implied_steps(build_steps(config.steps, f"modalities.{modality}.steps"))
        table = as_float32(table)
        # Sorted, so that sums and with them the last digits do not depend on the order of rows.
        train_ids = table.index.intersection(train_ids).sort_values()
        if len(train_ids) < 2:
            raise ValueError(
                f"{modality}: {len(train_ids)} training patients have this modality, at least two are "
                f"needed. Add patients, or leave the modality out (set it to null under modalities)."
            )
        # A copy that every step overwrites.
        train = _rows_of(table, train_ids)
        report = []
        for step in steps[:-1]:
            before = train.columns
            try:
                step.fit(train)
                train = _overwrite(step, train)
            except ValueError as error:
                raise ValueError(f"{modality}: {error}") from error
            report.append(describe_effect(step, len(train), before))
            if train.shape[1] == 0:
                raise ValueError(
                    f"{modality}: step {step.name} removed all {len(before)} features "
                    f"({report[-1]['reason']}). Change modalities.{modality}.steps."
                )
        medians = _fit_last(steps[-1], train, table, modality)
        report.append(describe_effect(steps[-1], len(train), train.columns))
        features = looked_at(train.columns)
        del train
        in_input_units = _rows_of(table, train_ids)
        bounds = bounds or {}
        measured = measure_patients(in_input_units, leading_row_wise(steps), modality=modality)
        usual = learn_usual_patients(
            measured, applied_rules(config.steps, bounds), bounds, modality=modality
        )
        return cls(
            modality=modality,
            input_features=table.columns,
            steps=steps,
            imputer=config.imputer,
            neighbours=neighbours,
            max_absent=max_absent,
            medians=medians,
            usual=usual,
            units=learn_units(_in_comparable_units(in_input_units, measured, features), features),
            report=pd.DataFrame(report),
        )

    def scale(self, table: pd.DataFrame) -> pd.DataFrame:
        """Apply the steps without imputation.

        Parameters
        ----------
        table
            Patients x features in input units. Features that the preprocessor does not know are
            ignored, and absent ones are missing values.

        Returns
        -------
        DataFrame
            Patients x `features`, float32, standardised; missing values stay missing.

        Raises
        ------
        ValueError
            When patients or features occur twice, a value is infinite or text, too many features
            are absent, or a patient has no value in any feature.
        """
        check_table(table, self.modality)
        self._require_features(table.columns)
        table = self._with_input_features(table)
        scaled = empty_matrix(len(table), len(self.features))
        empty = np.ones(len(table), dtype=bool)
        absurd: tuple[Any, Any] | None = None
        end = 0
        try:
            for part in forward_parts(bind_steps(self.steps, table), table):
                start, end = end, end + part.shape[1]
                values = scaled[:, start:end]
                values[:] = part
                empty &= np.isnan(values).all(axis=1)
                with np.errstate(invalid="ignore"):
                    beyond = np.abs(values) > ABSURD
                if absurd is None and beyond.any():
                    row, column = np.argwhere(beyond)[0]
                    absurd = part.index[row], part.columns[column]
        except ValueError as error:
            raise ValueError(f"{self.modality}: {error}") from error
        without = table.index[empty]
        if len(without):
            raise ValueError(
                f"{self.modality}: patient {without[0]}"
                + (f" and {len(without) - 1} more have" if len(without) > 1 else " has")
                + f" no value in any of the {len(self.features)} features used. "
                f"Leave the patient out of this modality."
            )
        if absurd is not None:
            raise _absurd_value(table, *absurd, self.modality)
        return as_frame(scaled, table.index, self.features)

    def find_outliers(self, table: pd.DataFrame) -> pd.DataFrame:
        """Find new patients that break the rules by which the cohort lost its outliers.

        Parameters
        ----------
        table
            New patients x features in input units.

        Returns
        -------
        DataFrame
            As :func:`tcga_coherent.omics.features.outliers.find_outliers`.

        Raises
        ------
        ValueError
            When patients or features occur twice, a value is infinite or text, or too many features are
            absent.
        """
        check_table(table, self.modality)
        absent = self._require_features(table.columns)
        if len(absent):
            logger.warning(
                "%s: %d of %d features are absent and will be imputed",
                self.modality,
                len(absent),
                len(self.features),
            )
        table = self._with_input_features(table)
        return self.usual.find_outliers(self._measure(table), modality=self.modality)

    def describe_units(self, table: pd.DataFrame) -> str | None:
        """Say in what the values of new patients, as for `find_outliers`, are unlike those of training."""
        table = self._with_input_features(table)
        measured = self._measure(table)
        return self.units.describe_difference(
            _in_comparable_units(table, measured, self.units.features)
        )

    def _measure(self, table: pd.DataFrame) -> MeasuredPatients:
        return measure_patients(table, leading_row_wise(self.steps), modality=self.modality)

    def absent_library(self, features: pd.Index) -> float:
        """Return the share of the training libraries that a table of `features` lacks; 0 for no counts."""
        if not isinstance(self.steps[0], Log2CountsToCpm):
            return 0.0
        absent = ~self.input_features.isin(features)
        return float(self.steps[0].absent_share(absent[np.newaxis], self.input_features)[0])

    def _with_input_features(self, table: pd.DataFrame) -> pd.DataFrame:
        table = as_float32(table)
        if table.columns.equals(self.input_features):
            return table
        return table.reindex(columns=self.input_features)

    def _require_features(self, columns: pd.Index) -> pd.Index:
        """Return the features that are absent; refuse too many."""
        absent = self.features.difference(columns)
        if len(absent) > self.max_absent * len(self.features):
            raise ValueError(
                f"{self.modality}: {len(absent)} of {len(self.features)} features are absent from "
                f"the table (such as {', '.join(map(str, absent[:EXAMPLES]))}), more than "
                f"preprocessing.max_absent_features ({self.max_absent:g}) allowed when the preprocessing "
                f"pipeline ran: a larger one counts only for models trained after that. Check the "
                f"feature names, or leave the modality out for these patients."
            )
        return absent

    def impute_cohort(
        self, scaled: pd.DataFrame, train_ids: pd.Index, *, overwrite: bool = False
    ) -> pd.DataFrame:
        """Fill missing values of the cohort that the preprocessor was fitted on.

        Parameters
        ----------
        scaled
            Output of `scale` for training and other patients.
        train_ids
            Training patients; they are imputed among themselves, the others from them.
        overwrite
            Fill `scaled` itself, which saves a copy of it.

        Returns
        -------
        DataFrame
            `scaled` without missing values.
        """
        if self.imputer == "median":
            return impute_with_medians(scaled, self.medians, overwrite=overwrite)
        return impute_among_patients(scaled, train_ids, self.neighbours, overwrite=overwrite)

    def transform(
        self, table: pd.DataFrame, impute: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    ) -> pd.DataFrame:
        """Bring new patients from input units to processed features.

        Parameters
        ----------
        table
            Patients x features in input units; see `scale`.
        impute
            Fills missing values of scaled features, as :meth:`tcga_coherent.embedding.encoder.Encoder.impute`
            does, where the cohort's were taken from neighbours: no patient's row is kept to take any from.

        Returns
        -------
        DataFrame
            Patients x `features`, float32, standardised, nothing missing.

        Raises
        ------
        ValueError
            As `scale`, and when values are missing and nothing is there to fill them.
        """
        scaled = self.scale(table)
        if self.imputer == "median":
            return impute_with_medians(scaled, self.medians)
        if impute is not None:
            return impute(scaled)
        if np.isnan(scaled.to_numpy()).any():
            raise ValueError(
                f"{self.modality}: values are missing and nothing is there to fill them. Pass the method "
                f"`impute` of the modality's encoder."
            )
        return scaled

    def inverse_transform(self, processed: pd.DataFrame) -> pd.DataFrame:
        """Return processed values, observed or generated, to input units.

        Parameters
        ----------
        processed
            Rows of any kind x `features`, standardised.

        Returns
        -------
        DataFrame
            The same rows x `features`; finite for finite input. Clipped values stay clipped, and
            counts come back at the median training library size.

        Raises
        ------
        ValueError
            When the columns are not `features`.
        """
        if not processed.columns.equals(self.features):
            raise ValueError(
                f"{self.modality}: the table to bring back to input units must have exactly the "
                f"{len(self.features)} processed features in their order, got "
                f"{processed.shape[1]} columns."
            )
        table = as_float32(processed)
        for step in reversed(self.steps):
            table = step.backward(table)
        return table

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays and JSON-serialisable metadata from which `from_state` rebuilds it."""
        arrays = {
            f"step{number:02d}.{key}": array
            for number, step in enumerate(self.steps)
            for key, array in step.state.items()
        }
        metadata = {
            "modality": self.modality,
            "steps": [describe_step(step) for step in self.steps],
            "imputer": self.imputer,
            "neighbours": self.neighbours,
            "max_absent": self.max_absent,
            "input_features": [str(feature) for feature in self.input_features],
            "report": self.report.to_dict(orient="records"),
            "outlier_rules": list(self.usual.rules),
            "units_features": [str(feature) for feature in self.units.features],
        }
        usual = {f"usual.{key}": getattr(self.usual, key) for key in USUAL_ARRAYS}
        units = {f"units.{key}": getattr(self.units, key) for key in ("profile", "limits")}
        return {**arrays, "imputer.medians": self.medians, **usual, **units}, metadata

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> "Preprocessor":
        """Rebuild the preprocessor that `state` described.

        Raises
        ------
        ValueError
            When an earlier version stored it.
        """
        if "outlier_rules" not in metadata:
            raise ValueError(
                f"{metadata['modality']}: the preprocessor was stored by an earlier version, which did not "
                f"keep what new patients are held against. Run the pipelines from preprocessing on again."
            )
        input_features = features = pd.Index(metadata["input_features"])
        steps = []
        for number, spec in enumerate(metadata["steps"]):
            step = build_step(spec, "steps of the preprocessor", {**KNOWN_STEPS, **IMPLIED_STEPS})
            prefix = f"step{number:02d}."
            step.restore(
                features,
                {
                    key.removeprefix(prefix): array
                    for key, array in arrays.items()
                    if key.startswith(prefix)
                },
            )
            features = step.output_features
            steps.append(step)
        return cls(
            modality=metadata["modality"],
            input_features=input_features,
            steps=steps,
            imputer=metadata["imputer"],
            neighbours=metadata["neighbours"],
            max_absent=metadata["max_absent"],
            medians=arrays["imputer.medians"],
            usual=UsualPatients(
                rules=tuple(metadata["outlier_rules"]),
                **{key: arrays[f"usual.{key}"] for key in USUAL_ARRAYS},
            ),
            units=UsualUnits(
                pd.Index(metadata["units_features"]),
                arrays["units.profile"],
                arrays["units.limits"],
            ),
            report=pd.DataFrame(metadata["report"]),
        )


def _rows_of(table: pd.DataFrame, patients: pd.Index) -> pd.DataFrame:
    """Copy the rows of `patients`."""
    rows, columns = table.index.get_indexer(patients), np.arange(table.shape[1])
    return as_frame(take(table.to_numpy(), rows, columns), patients, table.columns)


def _overwrite(step: Transform, table: pd.DataFrame) -> pd.DataFrame:
    """Put what fitted `step` makes of `table` into its place, block by block."""
    values = table.to_numpy()
    end = 0
    for part in forward_parts([step.bind(column_parts(table))], table):
        start, end = end, end + part.shape[1]
        values[:, start:end] = part
    return as_frame(values[:, :end], table.index, step.output_features)


def _fit_last(
    step: Transform, train: pd.DataFrame, in_input_units: pd.DataFrame, modality: str
) -> np.ndarray:
    """Fit the last step, which standardises, and return the medians of what it makes of each feature.

    Raises
    ------
    ValueError
        Where a few values of a feature hide all others of it.
    """
    step.fit(train)
    medians = []
    for unscaled in column_parts(train):
        scaled = step.forward(unscaled).to_numpy()
        medians.append(np.nanmedian(scaled, axis=0))
        # Among n values one that dwarfs the others has a standard score of nearly sqrt(n).
        suspects = np.nanmax(np.abs(scaled), axis=0) > np.sqrt(len(scaled)) / 2
        for feature in unscaled.columns[suspects]:
            values = unscaled[feature].astype(np.float64)
            distance = (values - values.median()).abs()
            spread = MAD_TO_SD * distance.median()
            if spread > 0 and distance.max() > ABSURD * spread:
                raise _absurd_value(in_input_units, distance.idxmax(), feature, modality)
    return np.concatenate(medians)


def _in_comparable_units(
    table: pd.DataFrame, measured: MeasuredPatients, features: pd.Index
) -> pd.DataFrame:
    """Return `features` in units that can be told: counts, whose size is that of the library, per million."""
    of_interest = table[features[features.isin(table.columns)]]
    if measured.library_size is None:
        return of_interest
    return as_frame(measured.values(of_interest), of_interest.index, of_interest.columns)


def _absurd_value(table: pd.DataFrame, patient: Any, feature: Any, modality: str) -> ValueError:
    return ValueError(
        f"{modality}: feature {feature} of patient {patient} is {table.loc[patient, feature]:g}, a million "
        f"times farther from other patients than these are from each other. Correct the cell, or leave it "
        f"empty where nothing was measured."
    )


def describe_effect(step: Transform, patients: int, before: pd.Index) -> dict[str, Any]:
    """Return the row of the report for a step fitted on features `before`."""
    removed = before.difference(step.output_features, sort=False)
    return {
        "step": step.name,
        "patients": patients,
        "features_before": len(before),
        "features_after": len(step.output_features),
        "removed": len(removed),
        "reason": step.reason if isinstance(step, FeatureFilter) and len(removed) else "",
        "examples": ", ".join(str(feature) for feature in removed[:EXAMPLES]),
    }
