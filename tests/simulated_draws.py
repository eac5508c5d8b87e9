"""A simulated cohort whose conditional distributions are known exactly."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.cohort import Cohort, read_cohort
from tcga_coherent.held_out import HeldOut
from tcga_coherent.source_sets import generative_methods, partition_name, source_sets

N_DIMENSIONS = 4
N_DRAWS = 19
NOISE_VARIANCE = 0.3
# The coherent ensemble of the simulation is right on average and too sure of itself.
COHERENT_SPREAD = 0.5


@dataclass(frozen=True)
class Simulation:
    """Inputs of the evaluation with the covariance they were drawn from."""

    latents: dict[str, Callable[[], pd.DataFrame]]
    split: pd.DataFrame
    presence: pd.DataFrame
    test_draws: dict[str, Callable[[], pd.DataFrame]]
    covariance: np.ndarray
    modalities: list[str]

    @property
    def cohort(self) -> Cohort:
        latents = {name: self.latents[name] for name in self.modalities}
        return read_cohort(latents, self.split, self.presence)

    @cached_property
    def baseline_predictions(self) -> dict[str, Callable[[], pd.DataFrame]]:
        parameters = BaselineParameters(
            ridge_alphas=(1.0, 10.0), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10, 30)
        )
        made = dict(predict_baselines(self.cohort, parameters))
        return {name: lambda frame=frame: frame for name, frame in made.items()}

    def held_out(self, antithetic: bool = False, **changes: Any) -> HeldOut:
        """Return draws and predictions as studies read them, some of it changed."""
        given = HeldOut(self.cohort, self.test_draws, self.baseline_predictions, antithetic)
        return replace(given, **changes)

    def conditional(self, target: str, sources: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and covariance of the target given the sources."""
        t = self._block(target)
        s = np.concatenate([self._block(name) for name in sources])
        coefficients = self.covariance[np.ix_(t, s)] @ np.linalg.inv(self.covariance[np.ix_(s, s)])
        return coefficients, self.covariance[np.ix_(t, t)] - coefficients @ self.covariance[
            np.ix_(s, t)
        ]

    def explained(self, target: str, sources: tuple[str, ...]) -> float:
        """R2 of the conditional mean in the population."""
        _, left = self.conditional(target, sources)
        t = self._block(target)
        return 1 - np.trace(left) / np.trace(self.covariance[np.ix_(t, t)])

    def _block(self, name: str) -> np.ndarray:
        return self.modalities.index(name) * N_DIMENSIONS + np.arange(N_DIMENSIONS)


def simulate(modalities: list[str], n_patients: int = 900) -> Simulation:
    """Draw patients from a factor model and draws from its exact conditionals."""
    rng = np.random.default_rng(1)
    loadings = rng.standard_normal((len(modalities) * N_DIMENSIONS, 3))
    loadings *= np.sqrt(1 - NOISE_VARIANCE) / np.linalg.norm(loadings, axis=1, keepdims=True)
    covariance = loadings @ loadings.T + NOISE_VARIANCE * np.eye(len(loadings))
    patients = pd.Index([f"TCGA-{i:04d}" for i in range(n_patients)], name="patient_id")
    columns = [f"z{i:02d}" for i in range(N_DIMENSIONS)]
    factors = rng.standard_normal((n_patients, 3))
    noise = np.sqrt(NOISE_VARIANCE) * rng.standard_normal((n_patients, len(loadings)))
    values = factors @ loadings.T + noise
    cancer_type = np.where(factors[:, 0] > 0, "LUAD", "BRCA")
    split = pd.DataFrame({"split": "train", "cancer_type": cancer_type}, index=patients)
    split.iloc[: n_patients // 3, 0] = "test"
    split.iloc[n_patients // 3 : n_patients // 2, 0] = "val"
    presence = pd.DataFrame(
        rng.random((n_patients, len(modalities))) < 0.7, index=patients, columns=modalities
    )
    presence.loc[split["split"] != "train"] = True
    frames = {
        name: pd.DataFrame(
            values[:, i * N_DIMENSIONS : (i + 1) * N_DIMENSIONS], index=patients, columns=columns
        )
        for i, name in enumerate(modalities)
    }
    simulation = Simulation(
        latents={name: lambda name=name: frames[name][presence[name]] for name in modalities},
        split=split,
        presence=presence,
        test_draws={},
        covariance=covariance,
        modalities=modalities,
    )
    test = patients[split["split"] == "test"]
    index = pd.MultiIndex.from_product([test, range(N_DRAWS)], names=["patient_id", "draw"])
    for target in modalities:
        for sources in source_sets(target, modalities):
            coefficients, left = simulation.conditional(target, sources)
            mean = np.hstack([frames[name].loc[test] for name in sources]) @ coefficients.T
            for method in generative_methods(sources):
                spread = COHERENT_SPREAD if method == "coherent" else 1.0
                noise = rng.multivariate_normal(
                    np.zeros(N_DIMENSIONS), left, size=(len(test), N_DRAWS)
                )
                draws = pd.DataFrame(
                    (mean[:, None] + spread * noise).reshape(-1, N_DIMENSIONS),
                    index=index,
                    columns=columns,
                )
                name = partition_name(target, method, sources)
                simulation.test_draws[name] = lambda draws=draws: draws
    return simulation


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    """Three modalities."""
    return simulate(["cna", "rnaseq", "rppa"])


@pytest.fixture(scope="session")
def simulation_of_five() -> Simulation:
    """Five modalities, one of which the paper does not know."""
    return simulate(["cna", "rnaseq", "rppa", "wsi", "methylation"], n_patients=240)
