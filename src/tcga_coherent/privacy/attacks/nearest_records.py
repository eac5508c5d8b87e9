"""Whether generated patients lie closer to training patients than to others.

Distance to the closest record (DCR) and nearest-neighbour distance ratio (NNDR, distance to the
closest over that to the second closest record: near 0 where a record was copied) say little alone, as
they depend on number and spread of the records. Here training patients are held against as many
held-out ones, matched by cancer type.

The two groups cannot be exchanged, even where nothing remembers anybody: encoders learned from
training patients and give held-out ones shorter latents, nearer to the centre, to which any record
lies closer. Of records that know neither group, less than half are closest to a training patient. The null
is therefore a control that has the same bias and no memory, and what counts is the difference to it.
Patients of random pairs are exchanged for the spread of that difference alone: all generated patients
are compared to the same records, so that a bootstrap over generated patients is too narrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_argmin
from sklearn.metrics.pairwise import euclidean_distances

from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.privacy.attacks.groups import MIN_PAIRS

# Of both groups together. The chance that a random half of the records holds fewer than two of so
# many is 4e-11.
NEAREST = 40
STATISTICS = ("share_closer_to_train", "dcr_ratio", "nndr_difference")


@dataclass(frozen=True)
class Comparison:
    """A statistic of distances to training patients against those to held-out ones.

    Attributes
    ----------
    statistic
        ``share_closer_to_train``: share of generated records closer to a training patient than to
        any held-out one; ``dcr_ratio``: mean DCR to training patients over that to held-out ones,
        below 1 where memory draws to them; ``nndr_difference``: mean NNDR among training patients
        less that among held-out ones, below 0 where single patients were copied.
    value, low, high
        The statistic and its bootstrap interval over the generated patients.
    null, null_low, null_high
        The statistic of the control, and within what interval about it exchanges of training and
        held-out patients leave the statistic. NaN without a control.
    difference_low, difference_high
        Bootstrap interval of the statistic less that of the control, over the same patients.
    """

    statistic: str
    value: float
    low: float
    high: float
    null: float
    null_low: float
    null_high: float
    difference_low: float
    difference_high: float


def compare_distances(
    generated: Array,
    control: Array | None,
    members: Array,
    nonmembers: Array,
    n_permutations: int,
    bootstrap: BootstrapParameters,
    seed: int,
    own_pair: NDArray[np.integer] | None = None,
) -> list[Comparison]:
    """Compare distances of generated records to training patients and to held-out ones.

    Parameters
    ----------
    generated
        Draws x patients x dimensions; the draws of a patient depend on each other.
    control
        Records in the place of the generated ones, for the same patients, that know members as well as
        non-members; of the same shape. None where the records are a control themselves.
    members, nonmembers
        Measured training and held-out patients, pairs x dimensions; the two at one position are
        a pair that is exchanged together.
    n_permutations
        Random exchanges that give the spread of the null.
    bootstrap
        Settings of the intervals.
    seed
        Seed of exchanges and bootstrap.
    own_pair
        Pair to which each generated patient belongs, who then is compared to all other pairs: the
        closest record of a draw may well be whom it was drawn for. None where they belong to nobody.

    Returns
    -------
    list of Comparison
        One a statistic.

    Raises
    ------
    ValueError
        When members and nonmembers are not pairs, or fewer than four pairs, or the control has
        another shape than what is generated.
    """
    if members.shape != nonmembers.shape or len(members) < MIN_PAIRS:
        raise ValueError(
            f"Members {members.shape} and non-members {nonmembers.shape} must be at least "
            f"{MIN_PAIRS} pairs."
        )
    if control is not None and control.shape != generated.shape:
        raise ValueError(f"The control is {control.shape}, what is generated {generated.shape}.")
    n_patients = generated.shape[1]
    flips = np.random.default_rng(seed).integers(0, 2, size=(n_permutations, len(members)))
    counts = resample_patients(n_patients, bootstrap.repeats, seed)
    found = []
    for records in (generated, control):
        if records is None:
            continue
        nearest = _nearest_records(records, members, nonmembers, own_pair)
        found.append(
            (
                _statistics(nearest.measured.mean(axis=0)),
                _statistics(counts @ nearest.measured / n_patients),
                np.array([_statistics(nearest.exchanged(row)) for row in flips.astype(bool)]),
            )
        )
    value, resampled, exchanged = found[0]
    intervals = central_interval(resampled, bootstrap.level)
    null = np.full(len(STATISTICS), np.nan)
    null_interval = differences = np.full((2, len(STATISTICS)), np.nan)
    if control is not None:
        null, control_resampled, control_exchanged = found[1]
        null_interval = null + np.array(
            central_interval(exchanged - control_exchanged, bootstrap.level)
        )
        differences = np.array(central_interval(resampled - control_resampled, bootstrap.level))
    columns = (value, *intervals, null, *null_interval, *differences)
    return [
        Comparison(name, *(float(column[i]) for column in columns))
        for i, name in enumerate(STATISTICS)
    ]


def own_distances(generated: Array, measured: Array) -> Array:
    """Return the mean distance of each patient's draws to the measured patient.

    Parameters
    ----------
    generated
        Draws x patients x dimensions.
    measured
        Patients x dimensions.
    """
    return np.linalg.norm(generated - measured, axis=2).mean(axis=0)


def linked_share(generated: Array, measured: Array) -> Array:
    """Return how often the closest of all measured patients is the one a draw was made for.

    Parameters
    ----------
    generated
        Draws x patients x dimensions.
    measured
        Patients x dimensions.

    Returns
    -------
    ndarray
        Share of the draws of each patient.
    """
    found = [
        pairwise_distances_argmin(draw, measured) == np.arange(len(measured)) for draw in generated
    ]
    return np.mean(found, axis=0)


@dataclass(frozen=True)
class _Nearest:
    """How close generated patients come to training and to held-out patients.

    Attributes
    ----------
    measured
        What :func:`_contrast` returns, mean over the draws of each patient, patients x 5.
    distances
        To the closest records of both groups together, ascending, rows x records.
    pairs, held_out
        Pair of each of these records, and whether it is the held-out one of it; same shape.
    """

    measured: Array
    distances: Array
    pairs: NDArray[np.integer]
    held_out: NDArray[np.bool_]

    def exchanged(self, flips: NDArray[np.bool_]) -> Array:
        """Return the mean of :func:`_contrast` with some pairs exchanged."""
        held_out = self.held_out ^ flips[self.pairs]
        return _contrast(self._two_closest(~held_out), self._two_closest(held_out)).mean(axis=0)

    def _two_closest(self, wanted: NDArray[np.bool_]) -> Array:
        rank = np.cumsum(wanted, axis=1, dtype=np.int16)
        places = np.stack([(rank >= number).argmax(axis=1) for number in (1, 2)], axis=1)
        return np.take_along_axis(self.distances, places, axis=1)


def _nearest_records(
    generated: Array, members: Array, nonmembers: Array, own_pair: NDArray[np.integer] | None
) -> _Nearest:
    n_draws, n_patients, n_dimensions = generated.shape
    rows = generated.reshape(-1, n_dimensions)
    excluded = None if own_pair is None else np.tile(own_pair, n_draws)
    records = np.concatenate([members, nonmembers])
    n_pairs = len(members)
    n_nearest = min(NEAREST, 2 * (n_pairs - (excluded is not None)))
    parts = []
    for some in _chunks(len(rows)):
        distances = euclidean_distances(rows[some], records)
        if excluded is not None:
            here = np.arange(len(distances))
            distances[here, excluded[some]] = np.inf
            distances[here, excluded[some] + n_pairs] = np.inf
        # Each group by itself: the closest records of both may all be of one of them.
        two_closest = (
            np.partition(side, (0, 1), axis=1)[:, :2]
            for side in (distances[:, :n_pairs], distances[:, n_pairs:])
        )
        closest = np.argsort(distances, axis=1)[:, :n_nearest]
        parts.append(
            (_contrast(*two_closest), np.take_along_axis(distances, closest, axis=1), closest)
        )
    contrasts, distances, closest = (np.concatenate(part) for part in zip(*parts, strict=True))
    measured = contrasts.reshape(n_draws, n_patients, -1).mean(axis=0)
    return _Nearest(measured, distances, closest % n_pairs, closest >= n_pairs)


def _contrast(train: Array, other: Array) -> Array:
    """Return what :func:`_statistics` needs of each row from its two closest records of each group."""
    closer = (train[:, 0] < other[:, 0]) + 0.5 * (train[:, 0] == other[:, 0])
    ratios = [
        np.divide(two[:, 0], two[:, 1], out=np.ones(len(two)), where=two[:, 1] > 0)
        for two in (train, other)
    ]
    return np.stack([closer, train[:, 0], other[:, 0], *ratios], axis=1)


def _statistics(means: Array) -> Array:
    """Return the statistics from the means of :func:`_contrast`, which lie on the last axis."""
    closer, train, other, train_ratio, other_ratio = np.moveaxis(means, -1, 0)
    ratio = np.divide(train, other, out=np.full_like(train, np.inf), where=other > 0)
    return np.stack([closer, ratio, train_ratio - other_ratio], axis=-1)


def _chunks(n_rows: int, size: int = 2048) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n_rows, size))
