"""Training, validation and test patients, stratified by cancer type."""

import hashlib
import logging
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

logger = logging.getLogger(__name__)

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class SplitConfig:
    """How patients are split.

    Attributes
    ----------
    val_fraction, test_fraction
        Wanted shares of each cancer type's patients.
    max_complete_fraction
        Largest share of a type's complete patients that validation and test may take together, so
        that some are left to learn from.
    min_patients_per_type
        Cancer types with fewer patients are too small to be stratified.
    small_types
        What happens to them: ``error``, or all their patients ``train``.
    fold
        ``2 of 5`` tests the second of five parts of the patients, which another seed deals anew; None
        tests ``test_fraction`` of them.
    """

    val_fraction: float = 0.05
    test_fraction: float = 0.15
    max_complete_fraction: float = 0.5
    min_patients_per_type: int = 5
    small_types: Literal["error", "train"] = "error"
    fold: Annotated[str, Field(pattern=r"^[1-9]\d* of [1-9]\d*$")] | None = None

    def __post_init__(self) -> None:
        """Check that the shares leave something to train on."""
        for name in ("val_fraction", "test_fraction", "max_complete_fraction"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")
        if self.val_fraction + self.test_fraction >= 1:
            raise ValueError("val_fraction and test_fraction together must be below 1")
        if self.fold is not None:
            number, of = self.fold_of
            if not number <= of or of < 2:
                raise ValueError(f"fold must be one of two or more, as 2 of 5, got {self.fold}")

    @property
    def fold_of(self) -> tuple[int, int]:
        """Return which fold of how many; (0, 0) where there is none."""
        if self.fold is None:
            return 0, 0
        number, of = self.fold.split(" of ")
        return int(number), int(of)


def split_patients(
    presence: pd.DataFrame,
    cancer_type: pd.Series,
    config: SplitConfig,
    seed: int,
    former: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split patients 80/5/15 within each cancer type, complete patients only in val and test.

    Of a type with n patients, 5 % go to validation and 15 % to test (paper, Data splitting and
    scaling), drawn from those with all modalities. Where that would take more than
    ``max_complete_fraction`` of the type's complete patients, only as many are taken, in the same
    proportion; everyone else trains. A type without complete patients trains altogether. In a cohort
    where this leaves validation or test empty, patients with two modalities stand for complete ones.

    Parameters
    ----------
    presence
        Boolean frame patients x modalities.
    cancer_type
        Cancer type of each patient of `presence`.
    config
        Shares and the treatment of small types.
    seed
        Seed; with it, the split depends neither on the order of rows nor on the other types.
    former
        Split of an earlier run, empty or None where there was none. Its patients keep their part where they
        were assigned by the same rule; with another seed or other shares everybody is drawn anew.

    Returns
    -------
    split : DataFrame
        Index ``patient_id``, sorted; columns ``split`` (train, val, test), ``cancer_type`` and
        ``assigned_by`` (the rule).
    split_table : DataFrame
        One row a cancer type: ``cancer_type``, ``patients``, ``complete``, ``wanted_val``,
        ``wanted_test``, ``train``, ``val``, ``test`` and ``note`` (why fewer than wanted).

    Raises
    ------
    ValueError
        When a cancer type has too few patients, or validation or test would be empty.
    """
    cancer_type = cancer_type.loc[presence.index].sort_index()
    check_type_sizes(cancer_type, config)
    rule = _describe_rule(config, seed)
    kept = _assigned_before(former, rule, cancer_type.index)
    complete, paired = presence.all(axis=1), presence.sum(axis=1) >= 2
    parts, split_table = _draw(complete, complete, cancer_type, config, seed, kept)
    if _empty_part(split_table) and paired.sum() > complete.sum():
        logger.warning(
            "Only %d of %d patients have all of %s: validation and test are drawn from the %d with two or more, "
            "and each comparison says how many patients it has",
            complete.sum(),
            len(presence),
            ", ".join(presence.columns),
            paired.sum(),
        )
        parts, split_table = _draw(paired, complete, cancer_type, config, seed, kept)
    empty = _empty_part(split_table)
    if empty:
        raise ValueError(
            f"The {empty} split is empty: {int(complete.sum())} of {len(presence)} patients have "
            f"all of {', '.join(presence.columns)}. Add complete patients, leave a modality out "
            f"(set it to null under modalities), or raise preprocessing.split.{empty}_fraction or "
            f"preprocessing.split.max_complete_fraction."
        )
    return _as_split(parts, cancer_type, rule), split_table


def assign_split(
    presence: pd.DataFrame, cancer_type: pd.Series, given: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split patients as a file says; those whom it does not name train.

    Parameters
    ----------
    presence, cancer_type
        As of :func:`split_patients`.
    given
        Index ``patient_id``, column ``split``.

    Returns
    -------
    split, split_table
        As of :func:`split_patients`.

    Raises
    ------
    ValueError
        When validation or test would be empty.
    """
    cancer_type = cancer_type.loc[presence.index].sort_index()
    named = cancer_type.index.isin(given.index)
    others = given.index[~given.index.isin(cancer_type.index)]
    if not named.all() or len(others):
        logger.warning(
            "The split's file does not name %d patients of the cohort, who train, and names %d who are not in it%s",
            (~named).sum(),
            len(others),
            f", such as {others[0]}" if len(others) else "",
        )
    parts = given["split"].reindex(cancer_type.index).fillna("train")
    complete = presence.all(axis=1)
    rows = []
    for _, patients in cancer_type.groupby(cancer_type):
        row = _type_row(parts, complete, patients)
        rows.append(row | {"wanted_val": row["val"], "wanted_test": row["test"]})
    split_table = pd.DataFrame(rows)
    empty = _empty_part(split_table)
    if empty:
        raise ValueError(
            f"The {empty} split is empty: the file of split_file names no patient of the cohort for it. Add some."
        )
    return _as_split(parts, cancer_type, "file"), split_table


def _empty_part(split_table: pd.DataFrame) -> str:
    return next((part for part in ("val", "test") if split_table[part].sum() == 0), "")


def _as_split(parts: pd.Series, cancer_type: pd.Series, rule: str) -> pd.DataFrame:
    split = pd.DataFrame({"split": parts, "cancer_type": cancer_type, "assigned_by": rule})
    split.index.name = "patient_id"
    return split


def _type_row(parts: pd.Series, complete: pd.Series, patients: pd.Series) -> dict[str, Any]:
    """Return a cancer type's row of the table; `patients` are its part of the cancer types."""
    counts = parts.loc[patients.index].value_counts().reindex(SPLITS, fill_value=0)
    return {
        "cancer_type": patients.iloc[0],
        "patients": len(patients),
        "complete": int(complete.loc[patients.index].sum()),
        "wanted_val": 0,
        "wanted_test": 0,
        **{part: int(counts[part]) for part in SPLITS},
        "note": "",
    }


def _draw(
    eligible: pd.Series,
    complete: pd.Series,
    cancer_type: pd.Series,
    config: SplitConfig,
    seed: int,
    kept: pd.Series,
) -> tuple[pd.Series, pd.DataFrame]:
    """Return the part of each patient, and the table, drawing validation and test from the eligible."""
    parts = pd.Series("train", index=cancer_type.index)
    parts.update(kept)
    rows = []
    for name, patients in cancer_type.groupby(cancer_type):
        candidates = patients.index[eligible.loc[patients.index]]
        own = kept[kept.index.isin(patients.index)]
        wanted_val = round_half_up(config.val_fraction * len(patients))
        wanted_test = round_half_up(config.test_fraction * len(patients))
        small = len(patients) < config.min_patients_per_type
        if small:
            n_val, n_test, note = 0, 0, "too few patients"
        elif config.fold is not None:
            tested = candidates[_in_fold(candidates, config, seed)]
            parts.loc[tested.difference(own.index)] = "test"
            wanted_test = len(tested)
            n_val, _, note = held_out(wanted_val, 0, len(candidates) - len(tested), config)
            n_test, candidates = 0, candidates.difference(tested)
        else:
            n_val, n_test, note = held_out(wanted_val, wanted_test, len(candidates), config)
        open_val = max(0, n_val - int((own == "val").sum()))
        open_test = max(0, n_test - int((own == "test").sum()))
        free = candidates[~candidates.isin(own.index)]
        rng = np.random.default_rng([seed, *str(name).encode()])
        drawn = rng.permutation(free.to_numpy())[: open_val + open_test]
        parts.loc[drawn[:open_val]] = "val"
        parts.loc[drawn[open_val:]] = "test"
        wanted = {"wanted_val": wanted_val, "wanted_test": wanted_test, "note": note}
        rows.append(_type_row(parts, complete, patients) | wanted)
    return parts, pd.DataFrame(rows)


def _in_fold(patients: pd.Index, config: SplitConfig, seed: int) -> np.ndarray:
    """Say who is in the fold: each patient is in one of them, whoever else there is."""
    number, of = config.fold_of
    digests = [hashlib.sha256(f"{seed}/{patient}".encode()).digest() for patient in patients]
    return np.array([int.from_bytes(d[:8], "big") % of == number - 1 for d in digests], dtype=bool)


def _describe_rule(config: SplitConfig, seed: int) -> str:
    settings = {name: value for name, value in vars(config).items() if not name.startswith("_")}
    return ", ".join(f"{name} {value}" for name, value in {"seed": seed, **settings}.items())


def _assigned_before(former: pd.DataFrame | None, rule: str, patients: pd.Index) -> pd.Series:
    """Return the parts of the patients whom the same rule has assigned before."""
    if former is None or former.empty:
        return pd.Series(dtype=object)
    if "assigned_by" not in former or (former["assigned_by"] != rule).any():
        logger.warning(
            "The patients of the former split were assigned by another rule (preprocessing.split or its seed): "
            "everybody is drawn anew, and models of the former split do not belong to this one"
        )
        return pd.Series(dtype=object)
    kept = former.loc[former.index.isin(patients), "split"]
    logger.info(
        "%d patients keep the part they had, %d are new", len(kept), len(patients) - len(kept)
    )
    return kept


def held_out(
    wanted_val: int, wanted_test: int, n_complete: int, config: SplitConfig
) -> tuple[int, int, str]:
    """Return how many patients of a type validate and test, and why fewer than wanted."""
    if n_complete == 0:
        return 0, 0, "no complete patients"
    most = int(config.max_complete_fraction * n_complete)
    if wanted_val + wanted_test <= most:
        return wanted_val, wanted_test, ""
    share = config.val_fraction / (config.val_fraction + config.test_fraction)
    n_val = round_half_up(most * share)
    return n_val, most - n_val, "few complete patients"


def check_type_sizes(cancer_type: pd.Series, config: SplitConfig) -> None:
    """Raise a ValueError that names the cancer types with too few patients."""
    sizes = cancer_type.value_counts().sort_index()
    small = sizes[sizes < config.min_patients_per_type]
    if len(small) and config.small_types == "error":
        named = ", ".join(f"{name} ({count})" for name, count in small.items())
        raise ValueError(
            f"Too few patients to stratify by cancer type: {named}; at least "
            f"{config.min_patients_per_type} are needed. Add patients, leave the type out of the "
            f"clinical table, lower preprocessing.split.min_patients_per_type, or set "
            f"preprocessing.split.small_types to train to train on all of its patients."
        )


def round_half_up(number: float) -> int:
    """Round to the nearest whole number, halves up."""
    return int(np.floor(number + 0.5))
