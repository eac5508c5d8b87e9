"""Every reconstruction of the test patients: by all methods from all sets of sources."""

from collections.abc import Iterator
from dataclasses import dataclass

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import generative_methods, join_sources, partition_name, source_sets


@dataclass(frozen=True)
class Reconstruction:
    """A modality of the test patients as one method makes it from one set of sources.

    Attributes
    ----------
    method
        A generative method or a baseline.
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


def reconstructions(held_out: HeldOut, target: str, seed: int) -> Iterator[Reconstruction]:
    """Yield all reconstructions of a target, generative methods first, one partition at a time.

    Draws of a baseline are its prediction and normal noise of the size of its errors on validation
    patients, as many as those of the generative methods.

    Parameters
    ----------
    held_out
        Draws and predictions of the test patients.
    target
        Modality to reconstruct.
    seed
        Seed of the noise of the baselines.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort, or partitions differ in the number
        of draws.
    """
    every_set = source_sets(target, held_out.cohort.modalities)
    n_draws: int | None = None
    for sources in every_set:
        for method in generative_methods(sources):
            draws = held_out.draws(target, method, sources)
            n_draws = n_draws or len(draws)
            if len(draws) != n_draws:
                raise ValueError(
                    f"test_draws {partition_name(target, method, sources)} holds {len(draws)} draws a "
                    f"patient, other partitions of {target} {n_draws}: sample all of them again with "
                    f"one number of draws."
                )
            sets = held_out.independent(draws)
            yield Reconstruction(method, join_sources(sources), sets, draws.mean(axis=0))
    # The same noise for all of them: their differences are then theirs alone.
    noise = held_out.noise(target, n_draws or 0, seed)
    for sources in every_set:
        for method in BASELINES:
            baseline = held_out.prediction(target, method, sources)
            draws = baseline.mean + baseline.noise_sd * noise
            yield Reconstruction(method, join_sources(sources), (draws,), baseline.mean)
