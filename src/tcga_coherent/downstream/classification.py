"""Tasks that predict a class: Random Forests, judged by macro F1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import entropy
from sklearn.ensemble import RandomForestClassifier

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.acquisition_curves import MacroF1Scorer
from tcga_coherent.downstream.forests import ForestParameters, fit_classifier
from tcga_coherent.downstream.outcomes import CannotEvaluate, check_classes
from tcga_coherent.downstream.stored_forest import StoredForest
from tcga_coherent.downstream.task import DownstreamTask, Outcomes
from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.classification_scores import class_scores, most_probable
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import Score

METRICS = {"macro_f1": "macro F1", "balanced_accuracy": "balanced accuracy"}


def score_classes(
    truth: np.ndarray, predicted: Sequence[np.ndarray], counts: Counts
) -> dict[str, Score]:
    """Score predicted classes by :data:`METRICS`.

    Parameters
    ----------
    truth
        Class of each patient.
    predicted
        Of each repeat the predicted class of each patient.
    counts
        How often each patient is drawn, samples x patients.
    """
    own = [class_scores(truth, classes) for classes in predicted]
    resampled = [class_scores(truth, classes, counts) for classes in predicted]
    return {
        metric: Score(
            np.array([getattr(score, metric)[0] for score in own]),
            np.mean([getattr(score, metric) for score in resampled], axis=0),
        )
        for metric in METRICS
    }


@dataclass(frozen=True)
class ClassForest:
    """Random Forest: probabilities of the classes; in doubt where their entropy is high."""

    forest: RandomForestClassifier

    @property
    def outputs(self) -> list[str]:
        """The classes that occur in training."""
        return [str(name) for name in self.forest.classes_]

    def predict(self, features: Array) -> Array:
        """Predict the probability of each class."""
        return self.forest.predict_proba(features)

    quantities = predict

    def doubt(self, features: Array) -> Array:
        """Return the entropy of the probabilities, in nats."""
        return entropy(self.predict(features), axis=-1)

    def stored(self, forests: ForestParameters) -> StoredForest:
        """Return its trees with the shares of the classes in their leaves."""
        trees = [tree.tree_ for tree in self.forest.estimators_]
        shares = [tree.value[:, 0] for tree in trees]
        return StoredForest.of_trees(trees, shares, self.outputs, len(self.outputs))


@dataclass(frozen=True)
class ClassOutcomes(Outcomes):
    """Class of each training and test patient who has one, as a series."""

    def fit(self, features: Array, forests: ForestParameters, seed: int) -> ClassForest:
        """Train a Random Forest."""
        return ClassForest(fit_classifier(features, self.train, forests, seed))

    def kept(self, quantities: Array) -> dict[str, np.ndarray]:
        """Return the most probable class as ``predicted``."""
        # Sorted, as the classes of a forest are.
        return {"predicted": most_probable(quantities, list(np.unique(self.train)))}

    def scores(self, repeats: Sequence[pd.DataFrame], counts: Counts) -> dict[str, Score]:
        """Return :data:`METRICS` of the predicted classes."""
        classes = [repeat["predicted"].to_numpy(object) for repeat in repeats]
        return score_classes(self.test.to_numpy(object), classes, counts)

    def scorer(self, outputs: list[str], counts: Counts) -> MacroF1Scorer:
        """Judge by the macro F1 of the most probable class."""
        return MacroF1Scorer(self.test.to_numpy(), outputs, counts)


@dataclass(frozen=True)
class ClassificationTask(DownstreamTask):
    """Predicting a column of the clinical table that holds classes; it has the name of the task."""

    metrics: Mapping[str, str] = field(default_factory=lambda: METRICS)
    errors: frozenset[str] = frozenset()
    short: str = "F1"
    curve_label: str = ""
    doubt_label: str = "Entropy"
    reported: str = ""
    has_classes: bool = True

    def labels(self, cohort: Cohort, clinical: pd.DataFrame) -> pd.Series:
        """Return the class of every patient who has one.

        Parameters
        ----------
        cohort
            Latents and splits.
        clinical
            Index ``patient_id``.

        Raises
        ------
        CannotEvaluate
            When the clinical table has no such column.
        """
        if self.name not in clinical:
            raise CannotEvaluate(f"the clinical table has no column {self.name}")
        return clinical[self.name].dropna().astype(str)

    def outcomes(
        self,
        cohort: Cohort,
        clinical: pd.DataFrame,
        train: pd.Index,
        forests: ForestParameters | None = None,
    ) -> ClassOutcomes:
        """Return the classes of the patients who have one."""
        labels = self.labels(cohort, clinical)
        known = [labels.reindex(patients).dropna() for patients in (train, cohort.test)]
        check_classes(self.label, *known)
        return ClassOutcomes(*known)
