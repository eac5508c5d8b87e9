"""The multimodal forests that counterfactual versions of a patient are shown to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from tcga_coherent.downstream.forests import (
    ForestParameters,
    fit_classifier,
    fit_survival_forest,
)
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.studies.prioritisation.scores import class_entropy

if TYPE_CHECKING:
    from sksurv.ensemble import RandomSurvivalForest

Task = Literal["stage", "survival"]
TASKS: tuple[Task, ...] = ("stage", "survival")
RISK = "risk"


class Model(Protocol):
    """A fitted forest with one or more outputs."""

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        ...

    def predict(self, features: Array) -> Array:
        """Predict patients x outputs from patients x dimensions; NaN is missing."""
        ...

    def doubt(self, features: Array) -> Array:
        """Say how unsure a prediction is without any generated data, one value a patient."""
        ...


@dataclass(frozen=True)
class StageForest:
    """Random Forest: probabilities of the stages; in doubt where their entropy is high."""

    forest: RandomForestClassifier

    @property
    def outputs(self) -> list[str]:
        """The stages that occur in training."""
        return [str(name) for name in self.forest.classes_]

    def predict(self, features: Array) -> Array:
        """Predict the probability of each stage."""
        return self.forest.predict_proba(features)

    def doubt(self, features: Array) -> Array:
        """Return the entropy of the probabilities."""
        return class_entropy(self.predict(features))


@dataclass(frozen=True)
class SurvivalForest:
    """Random Survival Forest: a risk; in doubt where its trees disagree."""

    forest: "RandomSurvivalForest"

    @property
    def outputs(self) -> list[str]:
        """The risk."""
        return [RISK]

    def predict(self, features: Array) -> Array:
        """Predict the expected number of deaths: higher is worse."""
        return self.forest.predict(features)[:, None]

    def doubt(self, features: Array) -> Array:
        """Return the standard deviation of the trees' risks."""
        # The precision of the trees, which their forest converts to only once.
        values = np.asarray(features, dtype=np.float32)
        risks = [tree.predict(values, check_input=False) for tree in self.forest.estimators_]
        return np.std(risks, axis=0)


def fit_model(
    task: Task, features: Array, target: Any, parameters: ForestParameters, seed: int
) -> Model:
    """Train the forest of a task.

    Parameters
    ----------
    task
        ``stage`` or ``survival``.
    features
        Training patients x dimensions.
    target
        Labels, or outcomes, of the same patients.
    parameters, seed
        Settings and seed of the forest.
    """
    if task == "stage":
        return StageForest(fit_classifier(features, target, parameters, seed))
    return SurvivalForest(fit_survival_forest(features, target, parameters, seed))
