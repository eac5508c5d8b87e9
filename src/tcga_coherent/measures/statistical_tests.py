"""Tests of differences between treatments over repeats, and their intervals over patients.

Repeats are seeds of forests and draws on one split. A small p value over repeats says that the
difference is not one of seeds. It says nothing about other patients: they were the same ones in every
repeat, and more repeats make any difference significant. What holds for other patients is judged by
the bootstrap over patients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import Score

# Spread below this share of the values is rounding.
ROUNDING = 1e-10


@dataclass(frozen=True)
class Comparison:
    """Scores of the same patients under several treatments.

    Attributes
    ----------
    study, condition, metric
        What is compared: part of the evaluation, case within it, score.
    scores
        Treatment to its score; the one that others are held against comes first. A single repeat
        stands for a score that none changes; without samples another table has the intervals.
    n_patients
        Number of patients.
    note
        Why there are no scores.
    """

    study: str
    condition: str
    metric: str
    scores: Mapping[str, Score] = field(default_factory=dict)
    n_patients: int | None = None
    note: str = ""

    @property
    def keys(self) -> dict[str, str]:
        """Key columns of the tables."""
        return {"study": self.study, "condition": self.condition, "metric": self.metric}

    @property
    def n_repeats(self) -> int:
        """Number of repeats, 1 where no repeat changes the scores."""
        return min((len(score.by_repeat) for score in self.scores.values()), default=0)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return every treatment with each that comes before it."""
        return [(later, earlier) for earlier, later in combinations(self.scores, 2)]


def repeated_measures_anova(by_repeat: Mapping[str, Array]) -> dict[str, Any]:
    """Test whether all treatments have the same mean, repeats being the subjects.

    Parameters
    ----------
    by_repeat
        Treatment to its score in each repeat.

    Returns
    -------
    dict
        ``statistic`` (F), ``df``, ``df_error``, ``p``, and ``p_greenhouse_geisser`` for treatments
        whose differences are not equally spread: ridge, say, has no seed. Or a ``note`` where F is
        not defined.
    """
    # Importing statsmodels takes a second that most runs do not need.
    from statsmodels.stats.anova import AnovaRM

    scores = np.column_stack(list(by_repeat.values()))
    n_repeats, n_treatments = scores.shape
    residual = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    if np.abs(residual).max() <= ROUNDING * max(np.abs(scores).max(), 1e-300):
        return {"note": "the treatments differ by the same in every repeat: F is not defined"}
    tidy = pd.DataFrame(
        {
            "repeat": np.repeat(np.arange(n_repeats), n_treatments),
            "treatment": np.tile(list(by_repeat), n_repeats),
            "score": scores.ravel(),
        }
    )
    tested = AnovaRM(tidy, "score", "repeat", within=["treatment"]).fit().anova_table.iloc[0]
    f, df, df_error = (float(tested[name]) for name in ("F Value", "Num DF", "Den DF"))
    epsilon = _greenhouse_geisser(scores)
    return {
        "statistic": f,
        "df": df,
        "df_error": df_error,
        "p": float(tested["Pr > F"]),
        "p_greenhouse_geisser": float(stats.f.sf(f, epsilon * df, epsilon * df_error)),
        "note": "",
    }


def paired_t_test(scores: Array, reference: Array) -> dict[str, Any]:
    """Test whether two treatments have the same mean, repeat by repeat.

    Parameters
    ----------
    scores, reference
        Score in each repeat.

    Returns
    -------
    dict
        ``statistic`` (t), ``df``, ``p``; or a ``note`` where t is not defined.
    """
    difference = scores - reference
    scale = max(np.abs(scores).max(), np.abs(reference).max(), 1e-300)
    if np.ptp(difference) <= ROUNDING * scale:
        same = np.abs(difference).max() <= ROUNDING * scale
        what = "no difference in any repeat" if same else "the same difference in every repeat"
        return {"note": f"{what}: t is not defined"}
    tested = stats.ttest_rel(scores, reference)
    return {
        "statistic": float(tested.statistic),
        "df": float(tested.df),
        "p": float(tested.pvalue),
        "note": "",
    }


def share_above_zero(differences: Array) -> float:
    """Return the share of the finite values that are above zero, ties counting half."""
    finite = differences[np.isfinite(differences)]
    return float(np.mean(finite > 0) + np.mean(finite == 0) / 2)


def _greenhouse_geisser(scores: Array) -> float:
    """Epsilon: 1 where all differences between treatments are spread alike, 1 / (k - 1) at least."""
    covariance = np.cov(scores, rowvar=False)
    centred = covariance - covariance.mean(axis=0) - covariance.mean(axis=1)[:, None]
    centred += covariance.mean()
    return float(np.trace(centred) ** 2 / ((len(centred) - 1) * np.sum(centred**2)))
