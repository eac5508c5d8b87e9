"""The two tasks of the rescue study: predicting stage and survival with forests."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.forests import (
    ForestParameters,
    fit_classifier,
    fit_survival_forest,
    survival_time,
)
from tcga_coherent.downstream.outcomes import (
    CannotEvaluate,
    check_classes,
    check_survival,
    class_labels,
    survival_outcomes,
)
from tcga_coherent.measures.classification_scores import most_probable
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.survival_scores import brier_times, integrated_brier

logger = logging.getLogger(__name__)

Predict = Callable[[Array], Array]


@dataclass(frozen=True)
class StageTask:
    """Stages of training and test patients.

    Attributes
    ----------
    train, test
        Stage of each patient who has one.
    """

    train: pd.Series
    test: pd.Series

    def fit(self, features: Array, forests: ForestParameters, seed: int) -> Predict:
        """Train a Random Forest; return the function that predicts class probabilities."""
        return fit_classifier(features, self.train, forests, seed).predict_proba

    def columns(self, predicted: Array) -> dict[str, np.ndarray]:
        """Return what is kept of the test patients' class probabilities: the most probable class."""
        # Sorted, as the classes of a forest are.
        return {"predicted": most_probable(predicted, list(np.unique(self.train)))}


@dataclass(frozen=True)
class SurvivalTask:
    """Overall survival of training and test patients.

    Attributes
    ----------
    train, test
        ``event`` and ``days`` of each patient whose survival is known.
    unit
        Days of the unit of the survival forests.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    unit: float

    @property
    def times(self) -> Array:
        """Days at which survival probabilities are predicted."""
        return brier_times(self.train, self.test, self.unit)

    def fit(self, features: Array, forests: ForestParameters, seed: int) -> Predict:
        """Train a Random Survival Forest.

        Returns
        -------
        callable
            From profiles to risk (first column) and probabilities to outlive each of the times.
        """
        forest = fit_survival_forest(features, self.train, forests, seed)
        units = np.round(self.times / self.unit)
        steps = np.searchsorted(forest.unique_times_, units, side="right") - 1

        def predict(rows: Array) -> Array:
            survival = forest.predict_survival_function(rows, return_array=True)[:, steps]
            # Before the first time in the training data everyone lives.
            survival[:, steps < 0] = 1
            return np.column_stack([forest.predict(rows), survival])

        return predict

    def columns(self, predicted: Array) -> dict[str, np.ndarray]:
        """Return what is kept: risk, and the patient's share of the integrated Brier score."""
        if len(self.times) < 2:
            brier = np.full(len(self.test), np.nan)
        else:
            brier = integrated_brier(predicted[:, 1:], self.times, self.train, self.test)
        return {"risk": predicted[:, 0], "integrated_brier": brier}


Task = StageTask | SurvivalTask


@dataclass(frozen=True)
class RescueTasks:
    """Both tasks, as far as the cohort has them.

    Attributes
    ----------
    possible
        ``stage`` and ``survival`` to what forests learn and are tested by. Training patients have
        every modality.
    reasons
        Task that cannot be evaluated to the reason.
    """

    possible: Mapping[str, Task]
    reasons: Mapping[str, str]


def rescue_tasks(cohort: Cohort, clinical: pd.DataFrame, forests: ForestParameters) -> RescueTasks:
    """Return what the forests learn and are tested by, or the reason why there is nothing.

    Parameters
    ----------
    cohort
        Latents and splits.
    clinical
        Index ``patient_id``; ``stage``, ``os_event`` and ``os_days``.
    forests
        Settings of the forests, for the unit of time.
    """
    possible: dict[str, Task] = {}
    reasons = {}
    for name, task_of in (("stage", _stage_task), ("survival", _survival_task)):
        try:
            possible[name] = task_of(cohort, clinical, forests)
        except CannotEvaluate as reason:
            reasons[name] = str(reason)
            logger.warning("rescue, %s: skipped, as %s", name, reason)
    return RescueTasks(possible, reasons)


def _stage_task(cohort: Cohort, clinical: pd.DataFrame, _: ForestParameters) -> Task:
    labels = class_labels("stage", cohort, clinical)
    complete = _complete_training_patients(cohort)
    train, test = (labels.reindex(patients).dropna() for patients in (complete, cohort.test))
    check_classes("stage", train, test)
    return StageTask(train, test)


def _survival_task(cohort: Cohort, clinical: pd.DataFrame, forests: ForestParameters) -> Task:
    train = survival_outcomes(clinical, _complete_training_patients(cohort))
    test = survival_outcomes(clinical, cohort.test)
    check_survival(train, test)
    # A survival forest needs two times to tell apart.
    if np.unique(survival_time(train["days"].to_numpy(), forests)).size < 2:
        raise CannotEvaluate(
            f"all {len(train)} training patients are followed equally long, in units of "
            f"{forests.survival_time_unit:g} days"
        )
    return SurvivalTask(train, test, forests.survival_time_unit)


def _complete_training_patients(cohort: Cohort) -> pd.Index:
    if len(cohort.modalities) < 2:
        raise CannotEvaluate("there is only one modality: nothing is left to complete it from")
    complete = cohort.complete(cohort.train)
    if complete.empty:
        raise CannotEvaluate("no training patient has every modality")
    return complete
