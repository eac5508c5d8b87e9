"""The table of all attacks, and what it says in a few lines."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import comb
from scipy.stats import norm

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.privacy.attacks.membership import (
    ALL,
    HALVES,
    METHODS,
    NEITHER,
    UNDERSTATED,
    UNMATCHED,
)

COLUMNS = (
    "attack",
    "method",
    "target",
    "source",
    "setting",
    "group",
    "statistic",
    "value",
    "low",
    "high",
    "null",
    "null_low",
    "null_high",
    "difference_low",
    "difference_high",
    "beyond_null",
    "p",
    "auroc",
    "tpr_at_1_fpr",
    "tpr_at_1_fpr_low",
    "tpr_at_1_fpr_high",
    "n_members",
    "n_nonmembers",
    "note",
)
# Statistics that fall where a model remembers; all others rise.
FALLING = ("dcr_ratio", "nndr_difference")
# Chance that an attack which finds nothing is said to find something.
UNLIKELY = 0.01
# Accuracy from what the attacker has anyway is no leak of a model.
NO_LEAK = ("balanced_accuracy",)


def join_attacks(tables: Sequence[pd.DataFrame], level: float) -> pd.DataFrame:
    """Join the rows of all attacks.

    Parameters
    ----------
    tables
        Rows with some of the columns.
    level
        Of their intervals.

    Returns
    -------
    DataFrame
        All columns. ``beyond_null`` is whether the interval of the statistic lies on the leaking
        side of the null (of its difference to the control where the null is a control's), and the
        statistic beyond the interval of the null where there is one; of attacks that find nothing a
        few in a hundred are. ``p`` is the chance of a value as far on the leaking side where nothing is
        remembered, see :func:`_chances`. Both are missing where they say nothing of a model.
    """
    table = pd.concat(
        [rows.dropna(axis=1, how="all") for rows in tables], ignore_index=True
    ).reindex(columns=list(COLUMNS))
    sign = np.where(table["statistic"].isin(FALLING), -1.0, 1.0)
    numbers = table[["value", "low", "high", "null", "null_low", "null_high"]].astype(float)
    differences = table[["difference_low", "difference_high"]].astype(float)
    differences = differences.fillna(
        {
            "difference_low": numbers["low"] - numbers["null"],
            "difference_high": numbers["high"] - numbers["null"],
        }
    )
    nearer = np.where(sign > 0, differences["difference_low"], differences["difference_high"])
    edge = np.where(sign > 0, numbers["null_high"], numbers["null_low"])
    beyond = pd.Series(sign * nearer > 0, index=table.index)
    beyond &= numbers["null_low"].isna() | (sign * (numbers["value"] - edge) > 0)
    silent = table["statistic"].isin(NO_LEAK) | table["value"].isna()
    silent |= ~table["method"].isin(METHODS)
    table["beyond_null"] = beyond.astype("boolean").mask(silent)
    table["p"] = _chances(table, differences, sign, level).mask(silent)
    for column in ("n_members", "n_nonmembers"):
        table[column] = table[column].astype("Int64")
    return table.assign(note=table["note"].fillna(""))


def not_attacked(attacks: Sequence[str], reason: CannotEvaluate) -> pd.DataFrame:
    """Return a row for each attack that cannot be made, with the reason as its note.

    Parameters
    ----------
    attacks
        Names of the attacks.
    reason
        Why they cannot be made.
    """
    return pd.DataFrame({"attack": list(attacks), "note": str(reason)})


def attack_lines(table: pd.DataFrame) -> list[str]:
    """Say what leaks and what does not, one line each, and what the attacks understate.

    Each row is judged by its own p, by Holm's method over the rows of an attack, which holds however
    rows depend on each other: they share their patients. Rows of all models of a method together,
    where there are such, have half of the chance of an error, those of single models the other half.
    Attacks on the released models and what they generate come before those on trainings made to be
    attacked.

    Parameters
    ----------
    table
        Result of :func:`join_attacks`.
    """
    judged = table["p"].notna() & ~table["group"].isin([NEITHER, UNMATCHED])
    leaking, silent = [], []
    for (attack, statistic), some in table[judged].groupby(["attack", "statistic"], sort=False):
        released = some[some["group"] != HALVES]
        some = released if len(released) else some
        whole = some["target"] == ALL
        families = [family for family in (some[whole], some[~whole]) if len(family)]
        found = [family[_holm(family["p"]) <= UNLIKELY / len(families)] for family in families]
        # What an attacker with all models of a method finds, where that is something.
        found = [family for family in found if len(family)]
        if not found:
            silent.append(f"{attack} ({statistic})")
            continue
        worst = found[0].iloc[int((found[0]["value"] - found[0]["null"]).abs().argmax())]
        rate = worst["tpr_at_1_fpr"]
        leaking.append(
            f"{attack} ({worst['method']}, {worst['target']}): {statistic} {worst['value']:.3f} "
            f"[{worst['low']:.3f}, {worst['high']:.3f}], {worst['null']:.3g} without memory"
            + (f", {rate:.0%} found at 1 % false positives" if pd.notna(rate) else "")
        )
    return [
        "Leaks: " + ("; ".join(leaking) or "none that these attacks find"),
        "Nothing is found by: " + (", ".join(silent) or "none of the attacks"),
        *understatements(table),
    ]


def understatements(table: pd.DataFrame) -> list[str]:
    """Return the notes on attacks that find less than there is, each once."""
    notes = table["note"].dropna().unique()
    return [note for note in notes if note.startswith(UNDERSTATED)]


def _chances(
    table: pd.DataFrame, differences: pd.DataFrame, sign: np.ndarray, level: float
) -> pd.Series:
    """Return p of every row: one-sided, from the widths of its intervals.

    The difference to the null over samples of patients, and where there is an interval of the null
    the distance to that over exchanges: a leak must be clear of both, so that the larger p counts.
    It is at least the chance that a random split of the patients puts just these on one side.
    """
    width = 2 * norm.ppf((1 + level) / 2)
    excess = sign * (table["value"] - table["null"]).to_numpy(float)
    of_null = (table["null_high"] - table["null_low"]).to_numpy(float)
    of_value = (differences["difference_high"] - differences["difference_low"]).to_numpy()
    tails = [_upper_tail(excess, spread / width) for spread in (of_value, of_null)]
    p = pd.Series(np.fmax(*tails), index=table.index)
    sizes = table[["n_members", "n_nonmembers"]].astype(float)
    splits = pd.Series(comb(sizes.sum(axis=1), sizes["n_members"]), index=table.index)
    least = 1 / splits.where(sizes.notna().all(axis=1))
    return p.where(~(p < least), least)


def _upper_tail(excess: Array, deviation: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(excess == 0, np.where(np.isnan(deviation), np.nan, 0.0), excess / deviation)
    return np.asarray(norm.sf(z))


def _holm(p: pd.Series) -> pd.Series:
    """Return p adjusted by Holm's method."""
    ordered = p.sort_values()
    steps = np.arange(len(ordered), 0, -1)
    return (ordered * steps).cummax().clip(upper=1.0).reindex(p.index)
