"""The table of all attacks, and what it says in a few lines."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from tcga_coherent.evaluation.outcomes import CannotEvaluate
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
    "difference_low",
    "difference_high",
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
        side of the null (of its difference to the control where the null is a control's), and the
        statistic beyond the interval of the null where there is one; of attacks that find nothing a
        few in a hundred are. Missing where that says nothing of a model.
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
