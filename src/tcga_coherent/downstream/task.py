"""What a downstream task is: who has an outcome, what predicts it, and how predictions are judged."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.acquisition_curves import Scorer
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.downstream.stored_forest import StoredForest
from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import Score

logger = logging.getLogger(__name__)


class Model(Protocol):
    """A fitted forest."""

    @property
    def outputs(self) -> list[str]:
        """Names of what it predicts: classes, or a risk."""
        ...

    def predict(self, features: Array) -> Array:
        """Predict patients x outputs from patients x dimensions; NaN is missing."""
        ...

    def quantities(self, features: Array) -> Array:
        """Predict all that scores are made of, patients x quantities; outputs come first."""
        ...

    def doubt(self, features: Array) -> Array:
        """Say how unsure a prediction is without any generated data, one value a patient."""
        ...

    def stored(self, forests: ForestParameters) -> StoredForest:
        """Return what predicting new patients takes, and no row of a training patient."""
        ...


@dataclass(frozen=True)
class Outcomes(ABC):
    """What is known of the patients that a model learns from and is tested on.

    Attributes
    ----------
    train, test
        Outcome of each patient who has one; the index is patients.
    """

    train: Any
    test: Any

    @abstractmethod
    def fit(self, features: Array, forests: ForestParameters, seed: int) -> Model:
        """Train a forest on the profiles of the training patients."""

    @abstractmethod
    def kept(self, quantities: Array) -> dict[str, np.ndarray]:
        """Return what is kept of :meth:`Model.quantities` of the test patients, by column."""

    @abstractmethod
    def scores(self, repeats: Sequence[pd.DataFrame], counts: Counts) -> dict[str, Score]:
        """Score what was kept.

        Parameters
        ----------
        repeats
            Of each repeat the columns of :meth:`kept`, a row a test patient.
        counts
            How often each test patient is drawn, samples x patients.
        """

    @abstractmethod
    def scorer(self, outputs: list[str], counts: Counts) -> Scorer:
        """Return what follows predictions while a modality is measured for more patients."""


@dataclass(frozen=True)
class DownstreamTask(ABC):
    """A question that is asked of patients' profiles.

    Attributes
    ----------
    name, label, title
        What tables, sentences and figures call it.
    metrics
        Scores to their names in figures; the first is the headline.
    errors
        Those of which less is better.
    short
        Short name of the headline.
    curve_label
        Axis of acquisition curves.
    doubt_label
        What a model's doubt is.
    reported
        What parameters with the paper's numbers begin with; empty where the paper has none.
    has_classes
        Whether models predict probabilities of classes; otherwise one risk.
    """

    name: str
    label: str
    title: str
    metrics: Mapping[str, str]
    errors: frozenset[str]
    short: str
    curve_label: str
    doubt_label: str
    reported: str
    has_classes: bool

    @property
    def headline(self) -> str:
        """The score that figures and the summary show."""
        return next(iter(self.metrics))

    @abstractmethod
    def outcomes(
        self, cohort: Cohort, clinical: pd.DataFrame, train: pd.Index, forests: ForestParameters
    ) -> Outcomes:
        """Return what is known of the training patients `train` and of the test patients.

        Raises
        ------
        CannotEvaluate
            When there is nothing to learn or nothing to test.
        """


@dataclass(frozen=True)
class PossibleTasks:
    """The tasks, as far as the cohort has them.

    Attributes
    ----------
    possible
        Task to what forests learn and are tested by. Training patients have every modality.
    reasons
        Task that cannot be evaluated to the reason.
    """

    possible: Mapping[str, Outcomes]
    reasons: Mapping[str, str]


def possible_tasks(
    tasks: Sequence[DownstreamTask],
    cohort: Cohort,
    clinical: pd.DataFrame,
    forests: ForestParameters,
) -> PossibleTasks:
    """Return what the forests learn and are tested by, or the reason why there is nothing.

    Parameters
    ----------
    tasks
        Those asked for.
    cohort
        Latents and splits.
    clinical
        Index ``patient_id``; the columns that tasks are about.
    forests
        Settings of the forests, for the unit of time.
    """
    possible: dict[str, Outcomes] = {}
    reasons = {}
    for task in tasks:
        try:
            complete = _complete_training_patients(cohort)
            possible[task.name] = task.outcomes(cohort, clinical, complete, forests)
        except CannotEvaluate as reason:
            reasons[task.name] = str(reason)
            logger.warning("%s: skipped, as %s", task.name, reason)
    return PossibleTasks(possible, reasons)


def _complete_training_patients(cohort: Cohort) -> pd.Index:
    if len(cohort.modalities) < 2:
        raise CannotEvaluate("there is only one modality: nothing is left to complete it from")
    complete = cohort.complete(cohort.train)
    if complete.empty:
        raise CannotEvaluate("no training patient has every modality")
    return complete
