"""Test patients as downstream models see them: whole, with modalities removed, and completed.

A profile is the latents of all modalities side by side, in the order of the parameters. Every way to
complete one uses only the modalities that are left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from tcga_coherent.baselines.predictions import BaselinePrediction
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import Cohort
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.calibration import independent_sets
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import generative_methods, partition_name

ABLATION = "ablation"
# The simple ones first, as in every table.
IMPUTATIONS = tuple(reversed(BASELINES))
GENERATORS = ("multi", "coherent")
COMPLETIONS = (ABLATION, *IMPUTATIONS, *GENERATORS)


def removal_patterns(modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every set of modalities that can be removed with one left, small sets first.

    Four modalities have 14 (paper, Table 2).
    """
    sizes = range(1, len(modalities))
    return [removed for size in sizes for removed in combinations(modalities, size)]


def training_profiles(cohort: Cohort, patients: pd.Index) -> Array:
    """Put the measured latents of patients side by side, NaN where a modality is missing.

    Returns
    -------
    ndarray
        patients x (dimensions of all modalities).
    """
    return np.hstack([frame.reindex(patients).to_numpy(float) for frame in cohort.latents.values()])


@dataclass(frozen=True)
class TestProfiles:
    """All that the test patients' profiles are put together from.

    Attributes
    ----------
    patients
        The test patients, the rows of every array.
    real
        Modality to measured latents, patients x dimensions.
    draws
        ``<target>/<method>/<source+source>`` to draws x patients x dimensions; float32.
    baselines
        The same key to a prediction.
    antithetic
        Whether draw k and draw k + K / 2 are a pair.
    """

    # Not a test: tells pytest so.
    __test__ = False

    patients: pd.Index
    real: Mapping[str, Array]
    draws: Mapping[str, Array]
    baselines: Mapping[str, BaselinePrediction]
    antithetic: bool

    @property
    def modalities(self) -> list[str]:
        """Names of the modalities, in the order of the parameters."""
        return list(self.real)

    @property
    def n_independent(self) -> int:
        """Number of draws that are independent of each other: those of the first half."""
        n_draws = len(next(iter(self.draws.values())))
        return n_draws // 2 if self.antithetic else n_draws

    @property
    def patterns(self) -> list[tuple[str, ...]]:
        """Sets of modalities that can be removed and completed from those that are left."""

        def drawn(removed: tuple[str, ...]) -> bool:
            left = [name for name in self.real if name not in removed]
            return all(partition_name(name, "multi", left) in self.draws for name in removed)

        return [removed for removed in removal_patterns(self.modalities) if drawn(removed)]

    def check_independent(self, parameter: str, number: int) -> None:
        """Refuse a parameter that asks for more independent draws than there are.

        Raises
        ------
        ValueError
            Naming `parameter` and the way out.
        """
        if number > self.n_independent:
            raise ValueError(
                f"{parameter} is {number}, but test_draws hold only {self.n_independent} draws "
                f"that are independent of each other: lower it or raise coherent_sampling.n_draws."
            )

    def whole(self) -> Array:
        """Return the measured profiles, patients x all dimensions."""
        return np.hstack(list(self.real.values()))

    def completed(self, removed: Sequence[str], completion: str, draw: int | None = None) -> Array:
        """Remove modalities and complete them from those that are left.

        Parameters
        ----------
        removed
            Modalities to remove; at least one must be left.
        completion
            ``ablation`` (leaves NaN), a baseline, ``multi`` or ``coherent``. A
            coherent ensemble of one source is its single-condition model.
        draw
            Number of the draw of a generator; None for the mean of all draws.

        Returns
        -------
        ndarray
            patients x all dimensions.
        """
        blocks = []
        for name, measured in self.real.items():
            if name not in removed:
                blocks.append(measured)
            elif completion == ABLATION:
                blocks.append(np.full_like(measured, np.nan))
            else:
                blocks.append(self.generated(name, removed, completion, draw))
        return np.hstack(blocks)

    def generated(
        self, target: str, removed: Sequence[str], completion: str, draw: int | None = None
    ) -> Array:
        """Return one modality as completed from the modalities that are not removed.

        Parameters
        ----------
        target
            Modality, one of `removed`.
        removed, completion, draw
            As in :meth:`completed`.

        Returns
        -------
        ndarray
            patients x dimensions.
        """
        sources = [name for name in self.real if name not in removed]
        if completion in BASELINES:
            return self.baselines[partition_name(target, completion, sources)].mean
        draws = self.draws_of(target, removed, completion)
        return draws.mean(axis=0, dtype=float) if draw is None else draws[draw].astype(float)

    def draws_of(self, target: str, removed: Sequence[str], completion: str) -> Array:
        """Return all draws of a removed modality by a generator, draws x patients x dimensions."""
        sources = [name for name in self.real if name not in removed]
        return self.draws[partition_name(target, completion, sources)]

    def independent_draws(self, target: str, removed: Sequence[str], completion: str) -> Array:
        """Return the draws of :meth:`draws_of` that are independent of each other."""
        return independent_sets(self.draws_of(target, removed, completion), self.antithetic)[0]


def read_profiles(held_out: HeldOut) -> TestProfiles:
    """Load the draws and predictions of the test patients for every target and set of sources.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort.
    """
    cohort = held_out.cohort
    draws, baselines = {}, {}
    for target in cohort.modalities:
        for sources in cohort.source_sets(target):
            for method in generative_methods(sources):
                values = held_out.draws(target, method, sources, cohort.test)
                draws[partition_name(target, method, sources)] = values.astype(np.float32)
            for method in BASELINES:
                name = partition_name(target, method, sources)
                baselines[name] = held_out.prediction(target, method, sources, cohort.test)
    real = {name: cohort.truth(name) for name in cohort.modalities}
    return TestProfiles(cohort.test, real, draws, baselines, held_out.antithetic)
