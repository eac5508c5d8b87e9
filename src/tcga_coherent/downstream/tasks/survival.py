"""Overall survival: Random Survival Forests, judged by the C-index."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.acquisition_curves import ConcordanceScorer
from tcga_coherent.downstream.forests import ForestParameters, fit_survival_forest, survival_time
from tcga_coherent.downstream.outcomes import CannotEvaluate, check_survival, survival_outcomes
from tcga_coherent.downstream.stored_forest import AFTER, StoredForest
from tcga_coherent.downstream.task import DownstreamTask, Outcomes
from tcga_coherent.measures.bootstrap import Counts
from tcga_coherent.measures.concordance import concordant_pairs
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import Score
from tcga_coherent.measures.survival_scores import (
    PairScore,
    brier_times,
    integrated_brier,
    pair_scores,
)

if TYPE_CHECKING:
    from sksurv.ensemble import RandomSurvivalForest

BRIER = "integrated_brier"
SURVIVAL, DAYS_OF_YEAR = "survival", 365.25


@dataclass(frozen=True)
class SurvivalForest:
    """Random Survival Forest: a risk; in doubt where its trees disagree.

    Attributes
    ----------
    forest
        The fitted forest.
    units
        Times at which survival is predicted, in the unit of the forest.
    """

    forest: "RandomSurvivalForest"
    units: Array

    @property
    def outputs(self) -> list[str]:
        """The risk."""
        return ["risk"]

    def predict(self, features: Array) -> Array:
        """Predict the expected number of deaths: higher is worse."""
        return self.forest.predict(features)[:, None]

    def quantities(self, features: Array) -> Array:
        """Predict the risk, and the probabilities to outlive each of the times."""
        survival = self.forest.predict_survival_function(features, return_array=True)
        return np.hstack([self.predict(features), self._at(survival, self.units)])

    def doubt(self, features: Array) -> Array:
        """Return the standard deviation of the trees' risks."""
        # The precision of the trees, which their forest converts to only once.
        values = np.asarray(features, dtype=np.float32)
        risks = [tree.predict(values, check_input=False) for tree in self.forest.estimators_]
        return np.std(risks, axis=0)

    def stored(self, forests: ForestParameters) -> StoredForest:
        """Return its trees with the risk of their leaves, and the survival after ``survival_years``."""
        trees = [tree.tree_ for tree in self.forest.estimators_]
        units = DAYS_OF_YEAR * np.array(forests.survival_years) / forests.survival_time_unit
        known = np.sort(units[units <= self.forest.unique_times_[-1]])
        # A node holds its cumulative hazard and its survival at every time, and the risk sums the hazard.
        values = [
            np.column_stack(
                [
                    tree.value[:, self.forest.is_event_time_, 0].sum(axis=1),
                    self._at(tree.value[..., 1], known),
                ]
            )
            for tree in trees
        ]
        years = known * forests.survival_time_unit / DAYS_OF_YEAR
        outputs = [*self.outputs, *(f"{SURVIVAL}{AFTER}{year:.6g}" for year in years)]
        return StoredForest.of_trees(trees, values, outputs, len(self.outputs))

    def _at(self, survival: Array, units: Array) -> Array:
        """Return columns of probabilities, over the forest's times, at times in its unit."""
        steps = np.searchsorted(self.forest.unique_times_, units, side="right") - 1
        # Before the first time in the training data everyone lives.
        return np.where(steps < 0, 1.0, survival[:, steps])


@dataclass(frozen=True)
class SurvivalOutcomes(Outcomes):
    """``event`` and ``days`` of each patient whose survival is known.

    Attributes
    ----------
    unit
        Days of the unit of the survival forests.
    """

    unit: float

    @property
    def times(self) -> Array:
        """Days at which survival probabilities are predicted."""
        return brier_times(self.train, self.test, self.unit)

    @cached_property
    def pairs(self) -> dict[str, PairScore]:
        """Scores of the order in which the test patients die."""
        return pair_scores(self.train, self.test)

    def fit(self, features: Array, forests: ForestParameters, seed: int) -> SurvivalForest:
        """Train a Random Survival Forest."""
        forest = fit_survival_forest(features, self.train, forests, seed)
        return SurvivalForest(forest, np.round(self.times / self.unit))

    def kept(self, quantities: Array) -> dict[str, np.ndarray]:
        """Return the ``risk`` and the patient's share of the integrated Brier score."""
        if len(self.times) < 2:
            brier = np.full(len(self.test), np.nan)
        else:
            brier = integrated_brier(quantities[:, 1:], self.times, self.train, self.test)
        return {"risk": quantities[:, 0], BRIER: brier}

    def scores(self, repeats: Sequence[pd.DataFrame], counts: Counts) -> dict[str, Score]:
        """Return C-indices, the area under the curve and the integrated Brier score."""
        died = self.test["event"].to_numpy()
        risks = [repeat["risk"].to_numpy() for repeat in repeats]
        concordant = [concordant_pairs(risk[died], risk) for risk in risks]
        # The weights are the same in every repeat, so the mean score is that of the mean pairs.
        mean = np.mean(concordant, axis=0)
        briers = np.stack([repeat[BRIER].to_numpy() for repeat in repeats])
        return {
            metric: Score(
                np.array([score.value(pairs)[0] for pairs in concordant]), score.value(mean, counts)
            )
            for metric, score in self.pairs.items()
        } | {BRIER: Score(briers.mean(axis=1), counts @ briers.mean(axis=0) / len(self.test))}

    def scorer(self, outputs: list[str], counts: Counts) -> ConcordanceScorer:
        """Judge by Harrell's C-index."""
        return ConcordanceScorer(self.test, counts)


class SurvivalTask(DownstreamTask):
    """Predicting ``os_event`` and ``os_days`` of the clinical table."""

    def outcomes(
        self, cohort: Cohort, clinical: pd.DataFrame, train: pd.Index, forests: ForestParameters
    ) -> SurvivalOutcomes:
        """Return survival where it is known."""
        learnt, tested = (survival_outcomes(clinical, p) for p in (train, cohort.test))
        check_survival(learnt, tested)
        # A survival forest needs two times to tell apart.
        if np.unique(survival_time(learnt["days"].to_numpy(), forests)).size < 2:
            raise CannotEvaluate(
                f"all {len(learnt)} training patients are followed equally long, in units of "
                f"{forests.survival_time_unit:g} days"
            )
        return SurvivalOutcomes(learnt, tested, forests.survival_time_unit)


TASK = SurvivalTask(
    "survival",
    "survival",
    "Survival",
    metrics={
        "c_index": "C-index (Harrell)",
        "c_index_ipcw": "C-index (Uno)",
        "auc": "time-dependent AUC",
        BRIER: "integrated Brier score\n(less is better)",
    },
    errors=frozenset({BRIER}),
    short="C-index",
    curve_label="C-index",
    doubt_label="Disagreement of trees",
    reported="survival_cindex",
    has_classes=False,
)
