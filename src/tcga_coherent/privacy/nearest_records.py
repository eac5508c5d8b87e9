"""Whether generated patients lie closer to training patients than to others.

Distance to the closest record (DCR) and nearest-neighbour distance ratio (NNDR, distance to the
closest over that to the second closest record: near 0 where a record was copied) say little alone, as
they depend on number and spread of the records. Here training patients are held against as many
held-out ones, matched by cancer type. Without memory the two could be exchanged: exchanging the
patients of random pairs gives the null, which is wider than a binomial interval because all
generated patients are compared to the same records.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from tcga_coherent.evaluation.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.evaluation.fidelity import Array

# The chance that a random half of the records holds fewer than two of so many is 4e-11.
NEAREST = 40
STATISTICS = ("share_closer_to_train", "dcr_ratio", "nndr_difference")
NULLS = dict(zip(STATISTICS, (0.5, 1.0, 0.0), strict=True))


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
        What is expected without memory, and the interval of the same level over exchanges of
        training and held-out patients.
    """

    statistic: str
    value: float
    low: float
    high: float
    null: float
    null_low: float
    null_high: float


def compare_distances(
    generated: Array,
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
    members, nonmembers
        Measured training and held-out patients, pairs x dimensions; the two at one position are
        a pair that could be exchanged.
    n_permutations
        Random exchanges that give the null.
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
        When members and nonmembers are not pairs, or fewer than four pairs.
    """
    if members.shape != nonmembers.shape or len(members) < 4:
        raise ValueError(
            f"Members {members.shape} and non-members {nonmembers.shape} must be at least four pairs."
        )
    n_draws, n_patients, n_dimensions = generated.shape
    rows = generated.reshape(-1, n_dimensions)
    excluded = None if own_pair is None else np.tile(own_pair, n_draws)
    nearest = _nearest_records(rows, members, nonmembers, excluded)

    def by_patient(values: Array) -> Array:
        return values.reshape(len(values), n_draws, n_patients).mean(axis=1)

    measured = by_patient(nearest.measure(np.zeros(len(members), dtype=bool)))
    counts = resample_patients(n_patients, bootstrap.repeats, seed)
    resampled = _statistics(counts @ measured.T / n_patients)
    random = np.random.default_rng(seed)
    exchanged = np.array(
        [
            _statistics(by_patient(nearest.measure(flips)).mean(axis=1))
            for flips in random.integers(0, 2, size=(n_permutations, len(members))).astype(bool)
        ]
    )
    shares = [(1 - bootstrap.level) / 2, (1 + bootstrap.level) / 2]
    value = _statistics(measured.mean(axis=1))
    intervals = np.quantile(resampled, shares, axis=0)
    nulls = np.quantile(exchanged, shares, axis=0)
    return [
        Comparison(
            name,
            *(float(number) for number in (value[i], *intervals[:, i], NULLS[name], *nulls[:, i])),
        )
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
        euclidean_distances(draw, measured).argmin(axis=1) == np.arange(len(measured))
        for draw in generated
    ]
    return np.mean(found, axis=0)


@dataclass(frozen=True)
class _Nearest:
    """The closest records of each generated one, training and held-out patients together.

    Attributes
    ----------
    distances
        Ascending, rows x records.
    pairs, held_out
        Pair of each record, and whether it is the held-out one of it; same shape.
    """

    distances: Array
    pairs: NDArray[np.integer]
    held_out: NDArray[np.bool_]

    def measure(self, flips: NDArray[np.bool_]) -> Array:
        """Return what :func:`_statistics` needs of each row, with some pairs exchanged."""
        held_out = self.held_out ^ flips[self.pairs]
        first_train, second_train = self._two_closest(~held_out)
        first_other, second_other = self._two_closest(held_out)
        closer = (first_train < first_other) + 0.5 * (first_train == first_other)
        ratios = [
            np.divide(first, second, out=np.ones_like(first), where=second > 0)
            for first, second in ((first_train, second_train), (first_other, second_other))
        ]
        return np.stack([closer, first_train, first_other, *ratios])

    def _two_closest(self, wanted: NDArray[np.bool_]) -> tuple[Array, Array]:
        rank = np.cumsum(wanted, axis=1, dtype=np.int16)
        everyone = np.arange(len(wanted))
        first, second = ((rank >= number).argmax(axis=1) for number in (1, 2))
        return self.distances[everyone, first], self.distances[everyone, second]


def _nearest_records(
    rows: Array, members: Array, nonmembers: Array, excluded: NDArray[np.integer] | None
) -> _Nearest:
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
        closest = np.argsort(distances, axis=1)[:, :n_nearest]
        parts.append((np.take_along_axis(distances, closest, axis=1), closest))
    distances, closest = (np.concatenate(part) for part in zip(*parts, strict=True))
    return _Nearest(distances, closest % n_pairs, closest >= n_pairs)


def _statistics(means: Array) -> Array:
    """Return the statistics from the means of :meth:`_Nearest.measure`, which lie on the last axis."""
    closer, train, other, train_ratio, other_ratio = np.moveaxis(means, -1, 0)
    ratio = np.divide(train, other, out=np.full_like(train, np.inf), where=other > 0)
    return np.stack([closer, ratio, train_ratio - other_ratio], axis=-1)


def _chunks(n_rows: int, size: int = 2048) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n_rows, size))
