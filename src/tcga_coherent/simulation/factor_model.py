r"""A mixture of factor analysers whose conditional distributions are known in closed form.

A patient of cancer type t has factors :math:`f \sim N(\mu_t, D)`, D diagonal, and features
:math:`y_m = o_m + W_m f + e_m` of modality m, :math:`e_m \sim N(0, \Psi_m)`, :math:`\Psi_m` diagonal.
Cancer types have the prior probabilities :math:`\pi_t` and are not observed. With the observed
modalities stacked to y, o, W and :math:`\Psi`,

.. math::
    S = (D^{-1} + W^T \Psi^{-1} W)^{-1}, \quad
    \mu_{t|y} = S (D^{-1} \mu_t + W^T \Psi^{-1} (y - o)), \quad
    \log r_t = \log \pi_t + \tfrac12 \mu_{t|y}^T S^{-1} \mu_{t|y} - \tfrac12 \mu_t^T D^{-1} \mu_t + c

are the covariance and means of the factors given y and cancer type, and the cancer types'
posterior probabilities. Features of a target are then a mixture of Gaussians. By the Woodbury
identity nothing larger than factors x factors is inverted (Ghahramani and Hinton, 1996, The EM
algorithm for mixtures of factor analyzers).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class LinearView:
    """How a modality's features follow from the factors, on the processed scale.

    Attributes
    ----------
    features
        Names of the p features.
    offset
        Mean of the features where all factors are zero, shape (p,).
    loadings
        Shape (p, factors).
    noise_variance
        Shape (p,), positive.
    """

    features: pd.Index
    offset: np.ndarray
    loadings: np.ndarray
    noise_variance: np.ndarray


@dataclass(frozen=True)
class FactorPosterior:
    """Factors of n patients given some of their modalities: a mixture of Gaussians for each.

    Attributes
    ----------
    probabilities
        Of the cancer types, shape (n, types).
    means
        Of the factors given the cancer type, shape (n, types, factors).
    covariance
        Of the factors given the cancer type, the same for all patients and cancer types, shape
        (factors, factors).
    """

    probabilities: np.ndarray
    means: np.ndarray
    covariance: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean of the mixture, shape (n, factors)."""
        return np.einsum("nt,ntk->nk", self.probabilities, self.means)


@dataclass(frozen=True)
class FactorModel:
    """The generative model; see the module's text for the formulas.

    Attributes
    ----------
    cancer_types
        Names of the cancer types.
    prior
        Their probabilities, shape (types,).
    factor_means
        Means of the factors within cancer types, shape (types, factors).
    factor_variances
        Variances of the factors within cancer types, shape (factors,), positive.
    views
        Modality to its linear view of the factors.
    """

    cancer_types: tuple[str, ...]
    prior: np.ndarray
    factor_means: np.ndarray
    factor_variances: np.ndarray
    views: Mapping[str, LinearView]

    def simulate_factors(self, types: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw factors of patients.

        Parameters
        ----------
        types
            Position of each patient's type in `cancer_types`, shape (n,).
        rng
            Source of random numbers.

        Returns
        -------
        ndarray of shape (n, factors)
        """
        # Factor by factor, so that those of a further modality, which come last, change no other.
        within = rng.standard_normal((len(self.factor_variances), len(types))).T
        return self.factor_means[types] + within * np.sqrt(self.factor_variances)

    def simulate(
        self, modality: str, factors: np.ndarray, rng: np.random.Generator
    ) -> pd.DataFrame:
        """Draw a modality's features, processed scale, given factors of shape (..., factors).

        Returns
        -------
        DataFrame
            One row for each vector of factors, in order; columns features.

        Raises
        ------
        ValueError
            When there is no such modality.
        """
        view = self._view(modality)
        values = factors.reshape(-1, factors.shape[-1]) @ view.loadings.T
        values += view.offset
        values += rng.standard_normal(values.shape) * np.sqrt(view.noise_variance)
        return pd.DataFrame(values, columns=view.features)

    def posterior(self, observed: Mapping[str, np.ndarray]) -> FactorPosterior:
        """Compute the distribution of the factors given some modalities.

        Parameters
        ----------
        observed
            Source modality to values on the processed scale, shape (n, features), without missing
            values, the same patients in all.

        Raises
        ------
        ValueError
            When there is no source, a source is unknown or of the wrong shape, or a value is
            missing.
        """
        n_patients = self._check_observed(observed)
        precision = np.diag(1.0 / self.factor_variances)
        evidence = np.zeros((n_patients, len(self.factor_variances)))
        for modality, values in observed.items():
            view = self.views[modality]
            weighted = view.loadings / view.noise_variance[:, np.newaxis]
            precision += view.loadings.T @ weighted
            evidence += (values - view.offset) @ weighted
        covariance = np.linalg.inv(precision)

        prior_pull = self.factor_means / self.factor_variances
        natural = evidence[:, np.newaxis, :] + prior_pull
        means = natural @ covariance
        log_probabilities = np.log(self.prior) + 0.5 * (
            np.einsum("ntk,ntk->nt", natural, means)
            - np.einsum("tk,tk->t", prior_pull, self.factor_means)
        )
        log_probabilities -= log_probabilities.max(axis=1, keepdims=True)
        probabilities = np.exp(log_probabilities)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return FactorPosterior(probabilities, means, covariance)

    def conditional_mean(self, target: str, observed: Mapping[str, np.ndarray]) -> np.ndarray:
        """Expect the target's features given some modalities.

        Parameters
        ----------
        target
            Modality.
        observed
            As in :meth:`posterior`.

        Returns
        -------
        ndarray of shape (n, features)
            Processed scale.
        """
        view = self._view(target)
        return view.offset + self.posterior(observed).mean @ view.loadings.T

    def conditional_variance(self, target: str, observed: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the variance of each of the target's features given some modalities.

        The diagonals of :meth:`conditional_covariance` in much less memory; shape (n, features).
        """
        view = self._view(target)
        posterior = self.posterior(observed)
        within = view.noise_variance + np.einsum(
            "pk,kl,pl->p", view.loadings, posterior.covariance, view.loadings, optimize=True
        )
        between = np.empty((len(posterior.means), len(view.offset)))
        for patient, (weights, means) in enumerate(
            zip(posterior.probabilities, posterior.means, strict=True)
        ):
            centred = (means - weights @ means) @ view.loadings.T
            between[patient] = weights @ centred**2
        return within + between

    def conditional_covariance(self, target: str, observed: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the covariance of the target's features given some modalities.

        Returns
        -------
        ndarray of shape (n, features, features)
            Processed scale; ask for few patients at a time where features are many.
        """
        view = self._view(target)
        posterior = self.posterior(observed)
        centred = posterior.means - posterior.mean[:, np.newaxis, :]
        of_factors = posterior.covariance + np.einsum(
            "nt,ntk,ntl->nkl", posterior.probabilities, centred, centred, optimize=True
        )
        return view.loadings @ of_factors @ view.loadings.T + np.diag(view.noise_variance)

    def sample_conditional(
        self,
        target: str,
        observed: Mapping[str, np.ndarray],
        n_draws: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw the target's features from their exact distribution given some modalities.

        Parameters
        ----------
        target
            Modality.
        observed
            As in :meth:`posterior`.
        n_draws
            Draws for each patient.
        rng
            Source of random numbers.

        Returns
        -------
        ndarray of shape (n, n_draws, features)
            Processed scale.
        """
        view = self._view(target)
        posterior = self.posterior(observed)
        n_patients, _, n_factors = posterior.means.shape
        # A cancer type for each draw, by inversion of the cumulated probabilities.
        cumulated = posterior.probabilities.cumsum(axis=1)
        uniform = rng.random((n_patients, n_draws)) * cumulated[:, -1:]
        types = (uniform[:, :, np.newaxis] > cumulated[:, np.newaxis, :]).sum(axis=2)

        root = np.linalg.cholesky(posterior.covariance)
        factors = rng.standard_normal((n_patients, n_draws, n_factors)) @ root.T
        factors += np.take_along_axis(posterior.means, types[:, :, np.newaxis], axis=1)
        draws = self.simulate(target, factors, rng).to_numpy()
        return draws.reshape(n_patients, n_draws, len(view.offset))

    def _view(self, modality: str) -> LinearView:
        if modality not in self.views:
            raise ValueError(
                f"The model has no modality {modality!r}: it has {', '.join(self.views)}."
            )
        return self.views[modality]

    def _check_observed(self, observed: Mapping[str, np.ndarray]) -> int:
        if not observed:
            raise ValueError("No modality is observed: name at least one source.")
        sizes = set()
        for modality, values in observed.items():
            n_features = len(self._view(modality).offset)
            if values.ndim != 2 or values.shape[1] != n_features:
                raise ValueError(
                    f"Source {modality!r} must have shape (patients, {n_features}), got {values.shape}."
                )
            if np.isnan(values).any():
                raise ValueError(
                    f"Source {modality!r} has missing values: give patients whose values are all there."
                )
            sizes.add(len(values))
        if len(sizes) > 1:
            raise ValueError(
                f"Sources must hold the same patients, got {sorted(sizes)} of them in "
                f"{', '.join(observed)}."
            )
        return sizes.pop()
