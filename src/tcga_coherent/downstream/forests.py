"""Random forests that read missing values: the downstream models of the paper.

Both learn from training patients only and take NaN where a modality is missing. A forest that saw no
missing value in training sends one to the child that most training patients went to.
"""

import logging
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass
from sklearn.ensemble import RandomForestClassifier

from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from sksurv.ensemble import RandomSurvivalForest


@dataclass(frozen=True, config=STRICT)
class ForestParameters:
    """Settings of the forests; all others are those of scikit-learn and scikit-survival.

    Attributes
    ----------
    n_trees
        Trees of a forest; the paper has 500.
    survival_min_samples_leaf
        Patients in a leaf of a survival tree at least.
    survival_time_unit
        Survival times are rounded up to multiples of this many days before a survival forest is
        trained. A tree's cost grows with the number of different times; scores take exact days.
    max_patients
        Training patients of a forest at most; of more, it learns from as many at random. The cost of a
        survival tree grows faster than their number.
    class_min_samples_leaf
        Patients in a leaf of a classification tree at least. With 1, as in the paper, a forest knows its training patients:
        see docs/privacy.md.
    survival_years
        Years after which completed patients' probabilities to be alive are given, as far as the training patients
        were followed.
    """

    n_trees: Annotated[int, Field(ge=1)]
    survival_min_samples_leaf: Annotated[int, Field(ge=1)]
    survival_time_unit: Annotated[float, Field(gt=0)]
    max_patients: Annotated[int, Field(ge=10)] = 10_000
    class_min_samples_leaf: Annotated[int, Field(ge=1)] = 1
    survival_years: tuple[Annotated[float, Field(gt=0)], ...] = (1, 2, 3, 5)


def fit_classifier(
    features: Array, labels: pd.Series, parameters: ForestParameters, seed: int
) -> RandomForestClassifier:
    """Train a Random Forest (Breiman 2001).

    Parameters
    ----------
    features
        Training patients x features; NaN is missing.
    labels
        Class of each row.
    parameters, seed
        Settings and seed of the forest.
    """
    forest = RandomForestClassifier(
        n_estimators=parameters.n_trees,
        min_samples_leaf=parameters.class_min_samples_leaf,
        random_state=seed,
        n_jobs=1,
    )
    chosen = _training_patients(len(features), parameters, seed)
    return forest.fit(features[chosen], labels.to_numpy()[chosen])


def fit_survival_forest(
    features: Array, outcomes: pd.DataFrame, parameters: ForestParameters, seed: int
) -> "RandomSurvivalForest":
    """Train a Random Survival Forest (Ishwaran et al. 2008).

    Its ``predict`` gives a risk, the expected number of deaths: higher is worse. Its survival
    functions are over multiples of ``parameters.survival_time_unit``, see
    :func:`survival_time`.

    Parameters
    ----------
    features
        Training patients x features; NaN is missing.
    outcomes
        Result of :func:`tcga_coherent.downstream.outcomes.survival_outcomes`, a row of each.
    parameters, seed
        Settings and seed of the forest.
    """
    # Importing scikit-survival takes a second that most runs do not need.
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    forest = RandomSurvivalForest(
        n_estimators=parameters.n_trees,
        min_samples_leaf=parameters.survival_min_samples_leaf,
        random_state=seed,
        n_jobs=1,
    )
    chosen = _training_patients(len(features), parameters, seed)
    times = survival_time(outcomes["days"].to_numpy(), parameters)
    events = outcomes["event"].to_numpy()
    return forest.fit(features[chosen], Surv.from_arrays(events[chosen], times[chosen]))


def _training_patients(
    n_patients: int, parameters: ForestParameters, seed: int
) -> slice | NDArray[np.intp]:
    if n_patients <= parameters.max_patients:
        return slice(None)
    logger.info("A forest learns from %d of %d patients", parameters.max_patients, n_patients)
    chosen = np.random.default_rng(seed).permutation(n_patients)[: parameters.max_patients]
    return np.sort(chosen)


def forest_seeds(seed: int, repeat: int, task: str) -> list[int]:
    """Return four seeds of a repeat; the second is that of the forest that learns from whole patients."""
    sequence = np.random.SeedSequence([seed, repeat, *task.encode()])
    return [int(state) for state in sequence.generate_state(4)]


def survival_time(days: Array, parameters: ForestParameters) -> Array:
    """Return days in the unit of the survival forests, rounded up."""
    return np.ceil(days / parameters.survival_time_unit)
