"""Checked reading of latents and test draws: bad input stops here, with its name."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import SourceSets, source_sets

logger = logging.getLogger(__name__)

Partitions = Mapping[str, Callable[[], pd.DataFrame]]

SPLITS = ("train", "val", "test")
# Of which nothing can be scored.
FEWEST_PATIENTS = 2


@dataclass(frozen=True)
class Cohort:
    """Latents of a cohort and what each patient is used for.

    Attributes
    ----------
    latents
        Modality to frame, patients x dimensions, in the order of the parameters.
    train, val
        Patients of the training and the validation split.
    test
        Patients of the test split who have every modality.
    cancer_type
        Cancer type of every patient.
    incomplete
        Patients of the test split who lack a modality.
    chosen_sets
        Sets of sources that each modality is generated from; None for all.
    codes
        Modality to frame, patients x principal axes: what the linear rival on features is given; the latents
        where there are none.
    """

    latents: dict[str, pd.DataFrame]
    train: pd.Index
    val: pd.Index
    test: pd.Index
    cancer_type: pd.Series
    incomplete: pd.Index = field(default_factory=lambda: pd.Index([]))
    chosen_sets: SourceSets | None = None
    codes: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def conditions(self) -> dict[str, pd.DataFrame]:
        """Modality to what others are generated from: patients x (dimensions, then principal axes).

        Of a cohort that was read without codes, latents alone.
        """
        return {
            name: pd.concat([frame, *([self.codes[name]] if self.codes else [])], axis=1)
            for name, frame in self.latents.items()
        }

    @property
    def held_out(self) -> pd.Index:
        """All patients of the test split."""
        return self.test.append(self.incomplete)

    @property
    def modalities(self) -> list[str]:
        """Names of the modalities, in the order of the parameters."""
        return list(self.latents)

    def source_sets(self, target: str) -> Sequence[tuple[str, ...]]:
        """Return the sets of sources that a modality is generated from, small sets first."""
        if self.chosen_sets is None:
            return source_sets(target, self.modalities)
        return self.chosen_sets[target]

    def complete(self, patients: pd.Index) -> pd.Index:
        """Keep the patients who have every modality."""
        return having(self.latents, patients)

    def tested(self, *modalities: str) -> pd.Index:
        """Return the patients of the test split who have these modalities."""
        return having({name: self.latents[name] for name in modalities}, self.held_out)

    def truth(self, modality: str, patients: pd.Index | None = None) -> Array:
        """Return the measured latents of patients, of `test` by default, patients x dimensions."""
        rows = self.test if patients is None else patients
        return self.latents[modality].loc[rows].to_numpy(float)


def having(frames: Mapping[str, pd.DataFrame], patients: pd.Index) -> pd.Index:
    """Return the patients who have all of these modalities, in their order."""
    for frame in frames.values():
        patients = patients[patients.isin(frame.index)]
    return patients


def read_cohort(
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    chosen_sets: SourceSets | None = None,
    codes: Partitions | None = None,
) -> Cohort:
    """Load and check the latents of all modalities.

    Parameters
    ----------
    latents
        Modality to a function that loads its frame, patients x dimensions, in the order of tables and
        figures.
    split
        Index ``patient_id``; columns ``split`` (train, val, test) and ``cancer_type``.
    presence
        Boolean, patients x modalities, with the index of `split`.
    chosen_sets, codes
        As in :class:`Cohort`.

    Raises
    ------
    ValueError
        When tables do not fit together, latents are not finite, or there is no patient to train,
        validate or test on.
    """
    _check_patients(split, presence, latents)
    loaded, codes_of = (
        {name: _read(kind, name, load(), presence[name]) for name, load in loaders.items()}
        for kind, loaders in (("latents", latents), ("codes", codes or {}))
    )
    complete = presence[list(latents)].all(axis=1)
    members = {name: split.index[split["split"] == name] for name in SPLITS}
    test = members["test"][complete[members["test"]]]
    for name, patients in members.items():
        if patients.empty:
            raise ValueError(
                f"No patient of the split {name} is there to evaluate with: give preprocessing more "
                f"patients, or another split."
            )
    if len(test) < len(members["test"]):
        logger.info(
            "%d of %d test patients miss a modality: each comparison is of those who have what it takes",
            len(members["test"]) - len(test),
            len(members["test"]),
        )
    return Cohort(
        loaded,
        members["train"],
        members["val"],
        test,
        split["cancer_type"],
        members["test"].difference(test),
        chosen_sets,
        codes_of,
    )


def read_draws(
    test_draws: Partitions, name: str, patients: pd.Index, dimensions: Sequence[str]
) -> Array:
    """Load one partition of the test draws.

    Parameters
    ----------
    test_draws
        ``<target>/<method>/<source+source>`` to a function that loads its frame.
    name
        Partition to load.
    patients, dimensions
        Rows and columns of the result, in this order.

    Returns
    -------
    ndarray
        draws x patients x dimensions.

    Raises
    ------
    ValueError
        When the partition is missing, lacks patients, draws or dimensions, or is not finite.
    """
    if name not in test_draws:
        raise ValueError(
            f"test_draws has no partition {name}: make it with "
            f"`kedro run --pipeline coherent_sampling`."
        )
    frame = test_draws[name]()
    if list(frame.index.names) != ["patient_id", "draw"]:
        raise ValueError(
            f"test_draws {name}: the index must be (patient_id, draw), got {list(frame.index.names)}."
        )
    if set(frame.columns) != set(dimensions):
        raise ValueError(
            f"test_draws {name} has the columns {_some(frame.columns)}, but the latents of its target "
            f"have {_some(dimensions)}: sample again with the present latents."
        )
    draws = frame.index.unique("draw").sort_values()
    missing = patients.difference(frame.index.unique("patient_id"))
    if len(missing):
        raise ValueError(
            f"test_draws {name} lacks {len(missing)} test patients ({_some(missing)}): sample again "
            f"with the present split."
        )
    frame = frame.loc[frame.index.get_level_values("patient_id").isin(patients)]
    counts = frame.index.value_counts()
    wanted = pd.MultiIndex.from_product([patients, draws])
    if len(frame) != len(wanted) or (counts > 1).any():
        per_patient = frame.groupby(level="patient_id").size()
        odd = per_patient.index[per_patient != len(draws)]
        raise ValueError(
            f"test_draws {name}: each patient must have each of the {len(draws)} draws once, but not "
            f"so {_some(odd if len(odd) else counts.index[counts > 1])}."
        )
    values = frame.loc[wanted, list(dimensions)].to_numpy(float)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise ValueError(
            f"test_draws {name} holds values that are not finite for "
            f"{_some(wanted[bad].unique(0))}: train and sample its models again."
        )
    return values.reshape(len(patients), len(draws), len(dimensions)).swapaxes(0, 1)


def _check_patients(
    split: pd.DataFrame, presence: pd.DataFrame, modalities: Collection[str]
) -> None:
    for column in ("split", "cancer_type"):
        if column not in split:
            raise ValueError(f"split has no column {column}; it has {_some(split.columns)}.")
    unknown = set(split["split"]) - set(SPLITS)
    if unknown:
        raise ValueError(f"split holds {_some(unknown)}; only {', '.join(SPLITS)} are known.")
    absent = [name for name in modalities if name not in presence]
    if absent:
        raise ValueError(
            f"presence has no column {', '.join(absent)}: run preprocessing with the present modalities."
        )
    if not split.index.is_unique:
        raise ValueError(
            f"split lists patients twice: {_some(split.index[split.index.duplicated()])}."
        )
    if not split.index.equals(presence.index):
        raise ValueError("split and presence list different patients: run preprocessing again.")


def _read(kind: str, name: str, frame: pd.DataFrame, present: pd.Series) -> pd.DataFrame:
    different = frame.index.symmetric_difference(present.index[present])
    if len(different) or not frame.index.is_unique:
        raise ValueError(
            f"{kind} of {name} and presence disagree on {len(different)} patients "
            f"({_some(different)}): run preprocessing and embedding again."
        )
    bad = ~np.isfinite(frame.to_numpy(float)).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{kind} of {name} hold values that are not finite for {_some(frame.index[bad])}: embed "
            f"the modality again."
        )
    return frame


def _some(names: object) -> str:
    listed = [str(name) for name in names]  # type: ignore[attr-defined]
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")
