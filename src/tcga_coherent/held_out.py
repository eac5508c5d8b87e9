"""What was made of the test patients, read when it is asked for."""

from dataclasses import dataclass

import pandas as pd

from tcga_coherent.baselines.models import standard_normal_draws
from tcga_coherent.baselines.predictions import BaselinePrediction, read_baseline
from tcga_coherent.cohort import FEWEST_PATIENTS, Cohort, Partitions, read_draws
from tcga_coherent.measures.calibration import independent_sets
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import partition_name


@dataclass(frozen=True)
class HeldOut:
    """Draws of the generative methods and predictions of the baselines for the test patients.

    Attributes
    ----------
    cohort
        Measured latents and splits.
    test_draws, baseline_predictions
        ``<target>/<method>/<source+source>`` to a function that loads its frame. What is missing, or
        does not fit the cohort, is an error when it is read.
    antithetic
        Whether draws k and k + K / 2 are a pair, see
        :func:`tcga_coherent.measures.calibration.independent_sets`.
    """

    cohort: Cohort
    test_draws: Partitions
    baseline_predictions: Partitions
    antithetic: bool

    def others(self, target: str) -> tuple[str, ...]:
        """Return all other modalities, or as many as enough test patients have beside the target."""
        sets = self.cohort.source_sets(target)
        tested = {sources: len(self.cohort.tested(target, *sources)) for sources in sets}
        usable = [sources for sources in sets if tested[sources] >= FEWEST_PATIENTS]
        return max(usable, key=lambda sources: (len(sources), tested[sources]), default=sets[-1])

    def draws(
        self, target: str, method: str, sources: tuple[str, ...], patients: pd.Index
    ) -> Array:
        """Return the draws of a generative method, draws x patients x dimensions."""
        name = partition_name(target, method, sources)
        return read_draws(self.test_draws, name, patients, self._dimensions(target))

    def independent(self, draws: Array) -> tuple[Array, ...]:
        """Take draws apart into sets whose members are independent of each other."""
        return independent_sets(draws, self.antithetic)

    def prediction(
        self, target: str, method: str, sources: tuple[str, ...], patients: pd.Index
    ) -> BaselinePrediction:
        """Return what a baseline predicts of patients."""
        name = partition_name(target, method, sources)
        dimensions = self._dimensions(target)
        return read_baseline(self.baseline_predictions, name, patients, dimensions)

    def noise(self, target: str, n_draws: int, seed: int, patients: pd.Index) -> Array:
        """Return the noise of a baseline's draws, the same for all of them."""
        n_dimensions = len(self._dimensions(target))
        return standard_normal_draws(patients, n_draws, n_dimensions, seed)

    def _dimensions(self, target: str) -> list[str]:
        return list(self.cohort.latents[target].columns)
