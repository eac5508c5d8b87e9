"""The probe of coherence: test patients generated from what they have, and from swapped sources.

Each target is generated from all other modalities, as they are and with one of them deliberately
exchanged between patients. Three statistics could tell bad generations from good ones: the cosine
distance between the denoisers' noise estimates and the share of timesteps in which it is above its
threshold (the paper's rule of rejection), and the disagreement of the sources with each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

STATISTICS = ("cosine_distance", "incoherent_share", "disagreement")
KEYS = ("patient_id", "target", "source", "swapped", "draw")
VALUES = (*STATISTICS, "squared_error", "error_of_mean", "rejected")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Generation:
    """Draws of one target from the same sources for all test patients.

    Attributes
    ----------
    patients
        Rows of everything below.
    statistics
        Name to values, patients x draws; higher is less coherent, NaN where there is none.
    squared_error
        Mean over dimensions of the squared error of each draw, patients x draws.
    error_of_mean
        The same of the mean of a patient's draws, one a patient.
    rejected
        Whether the rule of rejection refuses the draw, patients x draws.
    """

    patients: pd.Index
    statistics: Mapping[str, Floats]
    squared_error: Floats
    error_of_mean: Floats
    rejected: NDArray[np.bool_]

    def of_patients(self, statistic: str) -> Floats:
        """Return the mean of a statistic over the draws of each patient."""
        return self.statistics[statistic].mean(axis=1)


def generations(probe: pd.DataFrame, target: str) -> dict[str, Generation]:
    """Arrange the probe of a target by what was swapped.

    Parameters
    ----------
    probe
        Dataset ``coherence_probe``: one row a target, swapped source (empty for none), patient and
        draw.
    target
        Modality that was generated.

    Returns
    -------
    dict
        Swapped source to the draws: first ``""`` for none, then the sources in their order.

    Raises
    ------
    ValueError
        When columns or the unswapped rows are missing, a patient lacks a draw or has it twice, or
        errors are not finite.
    """
    absent = [name for name in (*KEYS, *VALUES) if name not in probe]
    if absent:
        raise ValueError(
            f"coherence_probe has no column {', '.join(absent)}: make it again with "
            f"`kedro run --pipeline coherent_sampling`."
        )
    own = probe[probe["target"] == target]
    swapped = set(own["swapped"])
    if "" not in swapped:
        raise ValueError(
            f"coherence_probe has no row of {target} with nothing swapped: there is nothing to "
            f"compare with. Make it again with `kedro run --pipeline coherent_sampling`."
        )
    names = ["", *own["source"].iloc[0].split("+")]
    return {
        name: _generation(own[own["swapped"] == name], target) for name in names if name in swapped
    }


def matched(usual: Generation, swapped: Generation, statistic: str) -> tuple[Floats, Floats]:
    """Return a statistic of the patients who have it both without and with a swapped source."""
    values = pd.concat(
        [
            pd.Series(generation.of_patients(statistic), generation.patients)
            for generation in (usual, swapped)
        ],
        axis=1,
        join="inner",
    ).dropna()
    return values[0].to_numpy(), values[1].to_numpy()


def _generation(rows: pd.DataFrame, target: str) -> Generation:
    shape = (rows["patient_id"].nunique(), rows["draw"].nunique())
    if rows.duplicated(["patient_id", "draw"]).any() or len(rows) != shape[0] * shape[1]:
        raise ValueError(
            f"coherence_probe: each of the {shape[0]} patients of {target} must have each of the "
            f"{shape[1]} draws once. Make it again with `kedro run --pipeline coherent_sampling`."
        )
    ordered = rows.sort_values(["patient_id", "draw"])
    values = {name: ordered[name].to_numpy(float).reshape(shape) for name in VALUES}
    if not (np.isfinite(values["squared_error"]) & np.isfinite(values["error_of_mean"])).all():
        raise ValueError(
            f"coherence_probe holds errors of {target} that are not finite: train and sample its "
            f"models again."
        )
    return Generation(
        pd.Index(ordered["patient_id"].to_numpy()[:: shape[1]]),
        {name: values[name] for name in STATISTICS},
        values["squared_error"],
        values["error_of_mean"][:, 0],
        values["rejected"].astype(bool),
    )
