"""Whether a patient's measured modalities belong together.

Latents of two modalities of one patient are dependent. Under a joint normal distribution, fitted
on training patients who have both, the logarithm of joint over independent density says how well
two profiles fit each other; its negative, summed over the pairs of a patient's modalities, is the
disagreement. Exchanged samples show in it, before anything is generated from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.covariance import LedoitWolf

from tcga_coherent.measures.percentiles import percentile_among

Pair = tuple[str, str]


@dataclass(frozen=True)
class PairAgreement:
    """Joint normal distribution of the latents of two modalities.

    Attributes
    ----------
    mean
        Shape (features of both,).
    matrix
        Joint precision less the precisions of either modality alone, shape (features of both,
        features of both): the disagreement is its quadratic form.
    """

    mean: np.ndarray
    matrix: np.ndarray

    def disagreement(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return twice the negative log density ratio, up to a constant, shape (patients,)."""
        values = np.concatenate([first, second], axis=1) - self.mean
        return np.einsum("pi,ij,pj->p", values, self.matrix, values)


@dataclass(frozen=True)
class Agreement:
    """Fitted pairs, and what is usual among validation patients.

    Attributes
    ----------
    pairs
        Modalities to their joint distribution.
    reference
        Set of modalities to the disagreements of the validation patients who have all of them, ascending: which
        of the values of different sets are one patient's is not kept.
    """

    pairs: Mapping[Pair, PairAgreement]
    reference: Mapping[frozenset[str], np.ndarray]

    def disagreement(self, latents: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the disagreement of patients who all have the same modalities, shape (patients,).

        Parameters
        ----------
        latents
            Modality to latents, shape (patients, features). NaN where there is one modality only.
        """
        known = self._pairs_of(list(latents))
        if not known:
            return np.full(len(next(iter(latents.values()))), np.nan)
        return np.sum(
            [self.pairs[a, b].disagreement(latents[a], latents[b]) for a, b in known], axis=0
        )

    def percentile(self, modalities: Sequence[str], disagreement: np.ndarray) -> np.ndarray:
        """Return the percentile of the disagreement among validation patients, shape (patients,).

        See :func:`tcga_coherent.measures.percentiles.percentile_among`. NaN where no validation patient has these
        modalities.
        """
        reference = self.reference.get(frozenset(modalities), np.empty(0))
        return percentile_among(reference, disagreement)

    def highest_percentile(self) -> float:
        """Return the highest percentile that so many validation patients can tell."""
        n_patients = min((len(self.reference[frozenset(pair)]) for pair in self.pairs), default=0)
        return 100.0 * n_patients / (n_patients + 1)

    def _pairs_of(self, modalities: Sequence[str]) -> list[Pair]:
        return [pair for pair in self.pairs if set(pair) <= set(modalities)]


def fit_agreement(latents: Mapping[str, pd.DataFrame], split: pd.Series) -> Agreement:
    """Fit the joint distribution of every pair of modalities on training patients.

    Parameters
    ----------
    latents
        Modality to frame patients x latent size.
    split
        ``train``, ``val`` or ``test`` of each patient.

    Returns
    -------
    Agreement
        With covariances shrunk as Ledoit and Wolf (2004) do.

    Raises
    ------
    ValueError
        When fewer than two training patients have both modalities of a pair.
    """
    train, val = (split.index[split == part] for part in ("train", "val"))
    pairs = {}
    for a, b in combinations(latents, 2):
        both = train.intersection(latents[a].index).intersection(latents[b].index)
        if len(both) < 2:
            raise ValueError(
                f"{len(both)} training patients have both {a} and {b}, at least 2 are needed. Set one "
                f"of them to null in the modalities parameter."
            )
        values = np.concatenate(
            [latents[a].loc[both].to_numpy(float), latents[b].loc[both].to_numpy(float)], axis=1
        )
        fitted = LedoitWolf().fit(values)
        size = latents[a].shape[1]
        matrix = np.linalg.inv(fitted.covariance_)
        for block in (slice(0, size), slice(size, None)):
            matrix[block, block] -= np.linalg.inv(fitted.covariance_[block, block])
        pairs[a, b] = PairAgreement(fitted.location_, matrix)
    fitted_pairs = Agreement(pairs, {})
    reference = {}
    for size in range(2, len(latents) + 1):
        for chosen in combinations(latents, size):
            having = val[np.all([val.isin(latents[m].index) for m in chosen], axis=0)]
            of_all = {m: latents[m].loc[having].to_numpy(float) for m in chosen}
            reference[frozenset(chosen)] = np.sort(fitted_pairs.disagreement(of_all))
    return Agreement(pairs, reference)
