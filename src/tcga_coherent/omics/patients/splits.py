"""Training, validation and test patients, stratified by cancer type."""

import logging
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import ConfigDict
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
    """

    val_fraction: float = 0.05
    test_fraction: float = 0.15
    max_complete_fraction: float = 0.5
    min_patients_per_type: int = 5
    small_types: Literal["error", "train"] = "error"

    def __post_init__(self) -> None:
        """Check that the shares leave something to train on."""
        for name in ("val_fraction", "test_fraction", "max_complete_fraction"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")
        if self.val_fraction + self.test_fraction >= 1:
            raise ValueError("val_fraction and test_fraction together must be below 1")


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
    proportion; everyone else trains. A type without complete patients trains altogether.

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
    complete = presence.all(axis=1)
    check_type_sizes(cancer_type, config)

    rule = _describe_rule(config, seed)
    kept = _assigned_before(former, rule, cancer_type.index)
    parts = pd.Series("train", index=cancer_type.index)
    parts.update(kept)
    rows = []
    for name, patients in cancer_type.groupby(cancer_type):
        candidates = patients.index[complete.loc[patients.index]]
        own = kept[kept.index.isin(patients.index)]
        small = len(patients) < config.min_patients_per_type
        wanted_val = round_half_up(config.val_fraction * len(patients))
        wanted_test = round_half_up(config.test_fraction * len(patients))
        n_val, n_test, note = (
            (0, 0, "too few patients")
            if small
            else held_out(wanted_val, wanted_test, len(candidates), config)
        )
        open_val = max(0, n_val - int((own == "val").sum()))
        open_test = max(0, n_test - int((own == "test").sum()))
        free = candidates[~candidates.isin(own.index)]
        rng = np.random.default_rng([seed, *str(name).encode()])
        drawn = rng.permutation(free.to_numpy())[: open_val + open_test]
        parts.loc[drawn[:open_val]] = "val"
        parts.loc[drawn[open_val:]] = "test"
        counts = parts.loc[patients.index].value_counts()
        rows.append(
            {
                "cancer_type": name,
                "patients": len(patients),
                "complete": len(candidates),
                "wanted_val": wanted_val,
                "wanted_test": wanted_test,
                **{part: int(counts.get(part, 0)) for part in SPLITS},
                "note": note,
            }
        )
    split_table = pd.DataFrame(rows)
    for part in ("val", "test"):
        if split_table[part].sum() == 0:
            raise ValueError(
                f"The {part} split is empty: {int(complete.sum())} of {len(presence)} patients have "
                f"all of {', '.join(presence.columns)}. Add complete patients, leave a modality out "
                f"(set it to null under modalities), or raise preprocessing.split.{part}_fraction or "
                f"preprocessing.split.max_complete_fraction."
            )
    split = pd.DataFrame({"split": parts, "cancer_type": cancer_type, "assigned_by": rule})
    split.index.name = "patient_id"
    return split, split_table


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
