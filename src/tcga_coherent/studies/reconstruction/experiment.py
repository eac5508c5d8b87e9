"""Every reconstruction of the test patients: by all methods from all sets of sources."""

from collections.abc import Iterator
from dataclasses import dataclass

from tcga_coherent.baselines.models import standard_normal_draws
from tcga_coherent.baselines.predictions import read_baseline
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import Cohort, Partitions, read_draws
from tcga_coherent.measures.calibration import independent_sets
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import (
    generative_methods,
    join_sources,
    partition_name,
    source_sets,
)


@dataclass(frozen=True)
class Reconstruction:
    """A modality of the test patients as one method makes it from one set of sources.

    Attributes
    ----------
    method
        ``single``, ``multi``, ``coherent``, ``ridge``, ``knn`` or ``mean``.
    source
        Modality names joined by ``+``.
    sets
        Sets of draws that are independent of each other, each draws x patients x dimensions.
    mean
        Mean of all draws, for baselines their exact prediction; patients x dimensions.
    """

    method: str
    source: str
    sets: tuple[Array, ...]
    mean: Array


def reconstructions(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    cohort: Cohort,
    target: str,
    antithetic: bool,
    seed: int,
) -> Iterator[Reconstruction]:
    """Yield all reconstructions of a target, generative methods first, one partition at a time.

    Draws of a baseline are its prediction and normal noise of the size of its errors on validation
    patients, as many as those of the generative methods.

    Parameters
    ----------
    test_draws, baseline_predictions
        ``<target>/<method>/<source+source>`` to a function that loads its frame.
    cohort
        Measured latents and splits.
    target
        Modality to reconstruct.
    antithetic
        Whether draws k and k + K / 2 are a pair, see
        :func:`tcga_coherent.measures.calibration.independent_sets`.
    seed
        Seed of the noise of the baselines.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort, or partitions differ in the number
        of draws.
    """
    every_set = source_sets(target, cohort.modalities)
    dimensions = list(cohort.latents[target].columns)
    n_draws: int | None = None
    for sources in every_set:
        for method in generative_methods(sources):
            name = partition_name(target, method, sources)
            draws = read_draws(test_draws, name, cohort.test, dimensions)
            n_draws = n_draws or len(draws)
            if len(draws) != n_draws:
                raise ValueError(
                    f"test_draws {name} holds {len(draws)} draws a patient, other partitions of "
                    f"{target} {n_draws}: sample all of them again with one number of draws."
                )
            sets = independent_sets(draws, antithetic)
            yield Reconstruction(method, join_sources(sources), sets, draws.mean(axis=0))
    # The same noise for all of them: their differences are then theirs alone.
    noise = standard_normal_draws(cohort.test, n_draws or 0, len(dimensions), seed)
    for sources in every_set:
        for method in BASELINES:
            name = partition_name(target, method, sources)
            baseline = read_baseline(baseline_predictions, name, cohort.test, dimensions)
            draws = baseline.mean + baseline.noise_sd * noise
            yield Reconstruction(method, join_sources(sources), (draws,), baseline.mean)
