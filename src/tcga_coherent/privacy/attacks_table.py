"""The table of all attacks, and what it says in a few lines."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tcga_coherent.privacy.membership import ALL, CONTROL, NEITHER

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
    table["beyond_null"] = beyond.astype("boolean").mask(silent)
    for column in ("n_members", "n_nonmembers"):
        table[column] = table[column].astype("Int64")
    return table.assign(note=table["note"].fillna(""))


def attack_lines(table: pd.DataFrame) -> list[str]:
    """Say what leaks and what does not, one line each.

    Parameters
    ----------
    table
        Result of :func:`join_attacks`.
    """
    rows = table[
        (table["method"] != CONTROL) & (table["group"] != NEITHER) & table["beyond_null"].notna()
    ]
    leaking, silent = [], []
    for (attack, statistic), some in rows.groupby(["attack", "statistic"], sort=False):
        # What an attacker with all models of a method finds, where there is such a row.
        whole = some[some["target"] == ALL]
        some = whole if len(whole) else some
        found = some[some["beyond_null"].astype(bool)]
        if found.empty:
            silent.append(f"{attack} ({statistic})")
            continue
        worst = found.iloc[int((found["value"] - found["null"]).abs().argmax())]
        leaking.append(
            f"{attack} of {worst['method']}, {worst['target']}: {statistic} {worst['value']:.3f} "
            f"[{worst['low']:.3f}, {worst['high']:.3f}] where {worst['null']:.3g} is nothing"
        )
    return [
        "Models give away: " + ("; ".join(leaking) or "nothing that these attacks find"),
        "Nothing is found by: " + (", ".join(silent) or "none of the attacks"),
    ]
