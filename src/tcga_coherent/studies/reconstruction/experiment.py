"""Every reconstruction of the test patients: by all methods from all sets of sources."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import FEWEST_PATIENTS
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import generative_methods, join_sources, partition_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconstruction:
    """A modality of the test patients as one method makes it from one set of sources.

    Attributes
    ----------
    method
        A generative method or a baseline.
    source
        Modality names joined by ``+``.
    patients
        Test patients who have the target and the sources.
    truth
        What was measured of them, patients x dimensions.
    sets
        Sets of draws that are independent of each other, each draws x patients x dimensions.
    mean
        Mean of all draws, for baselines their exact prediction; patients x dimensions.
    """

    method: str
    source: str
    patients: pd.Index
    truth: Array
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
    cohort = held_out.cohort
    tested = {sources: cohort.tested(target, *sources) for sources in cohort.source_sets(target)}
    few = [sources for sources, patients in tested.items() if len(patients) < FEWEST_PATIENTS]
    scored = {sources: patients for sources, patients in tested.items() if sources not in few}
    if few:
        logger.warning(
            "%s: fewer than %d test patients have it and %s%s: no score",
            target,
            FEWEST_PATIENTS,
            join_sources(few[0]),
            f", or {len(few) - 1} other sets" if len(few) > 1 else "",
        )
    n_draws: int | None = None
    for sources, patients in scored.items():
        for method in generative_methods(sources):
            draws = held_out.draws(target, method, sources, patients)
            n_draws = n_draws or len(draws)
            if len(draws) != n_draws:
                raise ValueError(
                    f"test_draws {partition_name(target, method, sources)} holds {len(draws)} draws a "
                    f"patient, other partitions of {target} {n_draws}: sample all of them again with "
                    f"one number of draws."
                )
            sets = held_out.independent(draws)
            truth = cohort.truth(target, patients)
            yield Reconstruction(
                method, join_sources(sources), patients, truth, sets, draws.mean(axis=0)
            )
    if n_draws is None:
        return
    # The same noise for all of them: their differences are then theirs alone.
    having_target = cohort.tested(target)
    noise_of_all = held_out.noise(target, n_draws, seed, having_target)
    for sources, patients in scored.items():
        noise = noise_of_all.take(having_target.get_indexer(patients), axis=1)
        truth = cohort.truth(target, patients)
        for method in BASELINES:
            baseline = held_out.prediction(target, method, sources, patients)
            draws = baseline.mean + baseline.noise_sd * noise
            yield Reconstruction(
                method, join_sources(sources), patients, truth, (draws,), baseline.mean
            )
