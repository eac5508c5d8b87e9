"""Whether new patients come in the units of the training patients.

Values on another scale pass every check of a single cell: counts in place of their logarithm, a sign
turned, ratios that were copies. What gives them away is how the values of a patient are distributed over
the features. Each patient has five numbers

===========  ==============================================================================
level        median of the values
spread       log of their interquartile range
asymmetry    how much farther the upper decile is from the median than the lower, -1 to 1
tails        log of the range of 96 % of the values over the interquartile range
profile      rank correlation with the median profile of the training patients
===========  ==============================================================================

and the median of a batch of new patients is held against the training patients: several patients are
unlike them in the median only if something is wrong with all.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

TRAITS = ("level", "spread", "asymmetry", "tails", "profile")
# A batch is held against most of the training patients. Fewer patients may all be unlike the most extreme
# of them, so their range is widened on both sides by a share of it.
LEVELS = (0.002, 0.02, 0.98, 0.998)
BATCH = 5
WIDENED = 0.25
# Features looked at: evenly chosen ones tell the units of all.
MAX_FEATURES = 2000
FEWEST_VALUES = 10
FEWEST_PATIENTS = 20


@dataclass(frozen=True, eq=False)
class UsualUnits:
    """How values of the training patients are distributed, in the units of the input.

    Attributes
    ----------
    features
        The features looked at.
    profile
        Their medians over the training patients, shape (features,).
    limits
        Quantiles `LEVELS` of each of `TRAITS` over the training patients, shape (levels, traits); missing
        where there are too few patients or values.
    """

    features: pd.Index
    profile: np.ndarray
    limits: np.ndarray

    def describe_difference(self, table: pd.DataFrame) -> str | None:
        """Say in what the values of a batch differ from those of the training patients, if they do.

        Parameters
        ----------
        table
            New patients x features in input units.
        """
        known = self.features.isin(table.columns)
        values = table[self.features[known]].to_numpy(dtype=np.float64)
        # Of each trait without the patients that lack it.
        traits = pd.DataFrame(_traits(values, self.profile[known])).median().to_numpy()
        low, high = self.limits[[1, 2]]
        if len(table) < BATCH:
            low, high = self.limits[[0, 3]]
            low, high = low - WIDENED * (high - low), high + WIDENED * (high - low)
        odd = [
            f"{name} {value:.3g} outside of {a:.3g} to {b:.3g}"
            for name, value, a, b in zip(TRAITS, traits, low, high, strict=True)
            if value < a or value > b
        ]
        return ", ".join(odd) or None


def learn_units(table: pd.DataFrame, features: pd.Index) -> UsualUnits:
    """Learn how values of the training patients are distributed.

    Parameters
    ----------
    table
        Training patients x features in input units.
    features
        Features that preprocessing keeps.
    """
    features = looked_at(features)
    values = table[features].to_numpy(dtype=np.float64)
    profile = np.nanmedian(values, axis=0)
    traits = _traits(values, profile)
    limits = np.full((len(LEVELS), len(TRAITS)), np.nan)
    for number, trait in enumerate(traits.T):
        here = trait[~np.isnan(trait)]
        if len(here) >= FEWEST_PATIENTS:
            limits[:, number] = np.quantile(here, LEVELS)
    return UsualUnits(features, profile, limits)


def looked_at(features: pd.Index) -> pd.Index:
    """Return the features, of those that preprocessing keeps, that units are told by."""
    return features[:: -(-len(features) // MAX_FEATURES)]


def _traits(values: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Compute the traits of each patient, shape (patients, traits); missing where they are undefined."""
    traits = np.full((len(values), len(TRAITS)), np.nan)
    for row, everything in enumerate(values):
        measured = ~np.isnan(everything)
        own, usual = everything[measured], profile[measured]
        if len(own) < FEWEST_VALUES:
            continue
        low, decile, quartile, median, third, ninth, high = np.quantile(
            own, [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]
        )
        traits[row, 0] = median
        if third > quartile:
            traits[row, 1] = np.log(third - quartile)
            traits[row, 2] = (ninth + decile - 2 * median) / (ninth - decile)
            traits[row, 3] = np.log((high - low) / (third - quartile))
        if np.ptp(own) > 0 and np.ptp(usual) > 0:
            traits[row, 4] = np.corrcoef(rankdata(own), rankdata(usual))[0, 1]
    return traits
