"""Find generated records that lie closer to a training patient than patients do who were never seen.

The threshold is a conformal one: of `n` held-out patients, the `k`-th smallest value. One more such
patient is below it with probability `k / (n + 1)`, whatever the distribution. Records are compared in
latent space, where completed profiles are generated; decoding is a function of the latents, and in
decoded features the detail that no latent holds would keep every copy away from its original.

Draws are held to their distance to the closest training record. Means of draws are not: they lie nearer
to the centre of all patients than any patient does, so that most are close to somebody without having
copied anybody. They are held to the ratio of the distances to the closest and the second closest record,
which is near 0 for a copy only. A training patient whose record is there twice hides from the ratio.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass as validated
from scipy.stats import beta
from sklearn.neighbors import NearestNeighbors

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT

Kind = Literal["draw", "mean"]
STATISTICS: dict[Kind, str] = {"draw": "distance", "mean": "distance_ratio"}

HELD_OUT = "held_out"
TEST = "test"
COMPLETED = "completed"
REGENERATED = "regenerated_train"
ALL = "all"
OTHERS = "others"


@validated(frozen=True, config=STRICT)
class ScreeningParameters:
    """When a generated record counts as too close to a training patient.

    Attributes
    ----------
    nominal_rate
        Share of patients who were never seen that may be flagged; at least one in the number of
        validation patients and one more.
    """

    nominal_rate: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class Threshold:
    """The `rank`-th smallest of the values of `n_held_out` patients.

    Attributes
    ----------
    value
        Records below it are flagged.
    rank, n_held_out
        How it was found.
    """

    value: float
    rank: int
    n_held_out: int

    @property
    def nominal(self) -> float:
        """Probability that another held-out patient is flagged."""
        return self.rank / (self.n_held_out + 1)

    def nominal_interval(self, level: float) -> tuple[float, float]:
        """Interval of the rate at which this threshold, found with few patients, flags others."""
        low, high = beta.interval(level, self.rank, self.n_held_out + 1 - self.rank)
        return float(low), float(high)


@dataclass(frozen=True)
class Generated:
    """Generated records of one modality.

    Attributes
    ----------
    modality, method
        What was generated, and how.
    origin
        ``test``, ``completed`` or ``regenerated_train``: whose record it stands for.
    kind
        Single draws, or means of draws.
    records
        Index (``patient_id``, ``draw``) or ``patient_id``, columns latent dimensions.
    """

    modality: str
    method: str
    origin: str
    kind: Kind
    records: pd.DataFrame


@dataclass(frozen=True)
class Screened:
    """Records with what they are flagged by.

    Attributes
    ----------
    generated
        The records.
    against
        ``all`` training patients, or ``others`` than the one a record was regenerated for.
    statistic
        Distance, or ratio of distances, of each record.
    nearest
        The closest training patient of each record.
    threshold
        Records below it are flagged.
    n_training
        Training patients compared to.
    """

    generated: Generated
    against: str
    statistic: Array
    nearest: pd.Index
    threshold: Threshold
    n_training: int

    @property
    def patients(self) -> pd.Index:
        """Patient of each record."""
        return self.generated.records.index.get_level_values("patient_id")

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which records lie below the threshold."""
        return self.statistic < self.threshold.value


def screen(
    cohort: Cohort, generated: list[Generated], parameters: ScreeningParameters
) -> tuple[list[Screened], dict[str, str]]:
    """Compare generated records, and held-out patients beside them, to the training patients.

    Parameters
    ----------
    cohort
        Measured latents. Thresholds come from the validation patients, the held-out ones are of the
        test split.
    generated
        Records to screen; of training patients regenerated (``regenerated_train``) the own record is
        left out a second time.
    parameters
        Settings.

    Returns
    -------
    screened
        Held-out patients first, modality by modality.
    skipped
        Modality to the reason why it could not be screened.
    """
    screened: list[Screened] = []
    skipped: dict[str, str] = {}
    for modality, frame in cohort.latents.items():
        training = frame.loc[frame.index.intersection(cohort.train, sort=False)]
        held_out = frame.loc[frame.index.intersection(cohort.val, sort=False)]
        try:
            thresholds = {
                kind: find_threshold(
                    closeness(held_out, training, kind)[0], parameters.nominal_rate, modality
                )
                for kind in STATISTICS
            }
        except CannotEvaluate as reason:
            skipped[modality] = str(reason)
            continue
        real = [
            Generated(modality, "real", HELD_OUT, kind, frame.loc[cohort.test])
            for kind in STATISTICS
        ]
        for records in (*real, *(g for g in generated if g.modality == modality)):
            for against in (ALL, OTHERS) if records.origin == REGENERATED else (ALL,):
                values, nearest = closeness(
                    records.records, training, records.kind, without_own=against == OTHERS
                )
                threshold = thresholds[records.kind]
                screened.append(
                    Screened(records, against, values, nearest, threshold, len(training))
                )
    return screened, skipped


def closeness(
    records: pd.DataFrame, training: pd.DataFrame, kind: Kind, without_own: bool = False
) -> tuple[Array, pd.Index]:
    """Return the statistic of each record and its closest training patient.

    Parameters
    ----------
    records
        Index (``patient_id``, ``draw``) or ``patient_id``.
    training
        Index ``patient_id``, the same columns.
    kind
        Decides on the statistic: see :data:`STATISTICS`.
    without_own
        Leave the measured record of a record's own patient out.

    Raises
    ------
    CannotEvaluate
        When there are fewer than three training patients, or columns differ.
    """
    if len(training) < 3 or list(records.columns) != list(training.columns):
        raise CannotEvaluate(
            f"Screening compares records to at least three training patients of the same latent "
            f"dimensions; there are {len(training)} of {training.shape[1]}, records have "
            f"{records.shape[1]}."
        )
    search = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(training.to_numpy(float))
    if records.empty:
        return np.empty(0), training.index[:0]
    distances, places = search.kneighbors(records.to_numpy(float))
    if without_own:
        own = training.index.get_indexer(records.index.get_level_values("patient_id"))
        # What is own moves behind the two that count.
        order = np.argsort(places == own[:, None], axis=1, kind="stable")
        distances, places = (np.take_along_axis(found, order, 1) for found in (distances, places))
    first, second = distances[:, 0], distances[:, 1]
    if kind == "mean":
        values = np.divide(first, second, out=np.ones_like(first), where=second > 0)
    else:
        values = first
    return values, training.index[places[:, 0]]


def find_threshold(values: Array, nominal_rate: float, modality: str) -> Threshold:
    """Return the threshold below which at most `nominal_rate` of such patients fall.

    Parameters
    ----------
    values
        Of held-out patients.
    nominal_rate
        Rate wanted; the one attained is the next lower that their number allows.
    modality
        Named in errors.

    Raises
    ------
    CannotEvaluate
        When there are too few for the rate.
    """
    # 0.05 * 100 must be 5 whatever its last bit.
    rank = int(np.floor(nominal_rate * (len(values) + 1) + 1e-9))
    if rank < 1:
        enough = np.ceil(1e4 / (len(values) + 1)) / 1e4
        raise CannotEvaluate(
            f"{modality} has {len(values)} validation patients, too few to flag {nominal_rate:.3g} of "
            f"them: set privacy.screening.nominal_rate to at least {enough:g}."
        )
    return Threshold(float(np.sort(values)[rank - 1]), rank, len(values))


def flagged_records(screened: list[Screened]) -> pd.DataFrame:
    """Return one row a flagged generated record, closest first; it names patients."""
    rows = [row for one in screened if one.generated.origin != HELD_OUT for row in _flagged(one)]
    columns = [
        *("modality", "records", "method", "kind", "against", "patient_id", "draw"),
        *("closest_patient", "is_own_record", "statistic", "value", "threshold"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    # Distances of different modalities have different units.
    closest_first = (table["value"] / table["threshold"]).astype(float).sort_values(kind="stable")
    return table.loc[closest_first.index].reset_index(drop=True)


def _flagged(one: Screened) -> Iterator[dict[str, object]]:
    records = one.generated.records.index
    patients, nearest = list(one.patients), list(one.nearest)
    draws = list(records.get_level_values("draw")) if records.nlevels > 1 else [""] * len(patients)
    for place in np.flatnonzero(one.flagged):
        patient, closest = patients[place], nearest[place]
        yield {
            "modality": one.generated.modality,
            "records": one.generated.origin,
            "method": one.generated.method,
            "kind": one.generated.kind,
            "against": one.against,
            "patient_id": patient,
            "draw": draws[place],
            "closest_patient": closest,
            "is_own_record": patient == closest,
            "statistic": STATISTICS[one.generated.kind],
            "value": one.statistic[place],
            "threshold": one.threshold.value,
        }
