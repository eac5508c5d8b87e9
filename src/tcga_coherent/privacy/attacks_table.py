"""The table of all attacks, and what it says in a few lines."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from tcga_coherent.privacy.membership import ALL, HALVES, METHODS, NEITHER

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
    "beyond_null",
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
# Of rows that find nothing, this share lies beyond one end of a 95 % interval.
BY_CHANCE = 0.025
# Rows of one attack share their patients, so that chance comes in bunches.
UNLIKELY = 0.005
# Accuracy from what the attacker has anyway is no leak of a model.
NO_LEAK = ("balanced_accuracy",)


def join_attacks(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join the rows of all attacks.

    Parameters
    ----------
    tables
        Rows with some of the columns.

    Returns
    -------
    DataFrame
        All columns. ``beyond_null`` is whether the interval of the statistic lies on the leaking
        side of the null, and the statistic beyond the interval of the null where there is one; of
        attacks that find nothing a few in a hundred are. Missing where that says nothing of a
        model.
    """
    table = pd.concat(
        [rows.dropna(axis=1, how="all") for rows in tables], ignore_index=True
    ).reindex(columns=list(COLUMNS))
    sign = np.where(table["statistic"].isin(FALLING), -1.0, 1.0)
    nearer = np.where(sign > 0, table["low"], table["high"])
    edge = np.where(sign > 0, table["null_high"], table["null_low"])
    beyond = sign * (nearer - table["null"]) > 0
    beyond &= table["null_low"].isna() | (sign * (table["value"] - edge) > 0)
    silent = table["statistic"].isin(NO_LEAK) | table["value"].isna()
    silent |= ~table["method"].isin(METHODS)
    table["beyond_null"] = beyond.astype("boolean").mask(silent)
    for column in ("n_members", "n_nonmembers"):
        table[column] = table[column].astype("Int64")
    return table.assign(note=table["note"].fillna(""))


def attack_lines(table: pd.DataFrame) -> list[str]:
    """Say what leaks and what does not, one line each.

    An attack leaks where more of its rows lie beyond the null than chance would put there. Attacks
    on the released models and what they generate come before those on trainings made to be
    attacked.

    Parameters
    ----------
    table
        Result of :func:`join_attacks`.
    """
    rows = table[table["beyond_null"].notna() & (table["group"] != NEITHER)]
    leaking, silent = [], []
    for (attack, statistic), some in rows.groupby(["attack", "statistic"], sort=False):
        released = some[some["group"] != HALVES]
        some = released if len(released) else some
        # What an attacker with all models of a method finds, where there is such a row.
        whole = some[some["target"] == ALL]
        some = whole if len(whole) else some
        found = some[some["beyond_null"].astype(bool)]
        chance = binomtest(len(found), len(some), BY_CHANCE, alternative="greater").pvalue
        if chance > UNLIKELY:
            silent.append(f"{attack} ({statistic})")
            continue
        worst = found.iloc[int((found["value"] - found["null"]).abs().argmax())]
        rate = worst["tpr_at_1_fpr"]
        leaking.append(
            f"{attack} ({worst['method']}, {worst['target']}): {statistic} {worst['value']:.3f} "
            f"[{worst['low']:.3f}, {worst['high']:.3f}], {worst['null']:.3g} without memory"
            + (f", {rate:.0%} found at 1 % false positives" if pd.notna(rate) else "")
        )
    return [
        "Leaks: " + ("; ".join(leaking) or "none that these attacks find"),
        "Nothing is found by: " + (", ".join(silent) or "none of the attacks"),
    ]
