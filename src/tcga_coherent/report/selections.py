"""Which rows of a table the report shows."""

import numpy as np
import pandas as pd

RANKS_SHOWN = 20


def of_the_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of Table 1 that the paper has: single sources, and all sources together."""
    n_sources = table["source"].str.count(r"\+")
    return table[(table["method"] == "single") | (n_sources == n_sources.max())]


def from_all_sources(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows from all sources of the methods that are worth comparing."""
    n_sources = table["source"].str.count(r"\+")
    compared = table["method"].isin(["multi", "coherent", "ridge"])
    return table[compared & (n_sources == n_sources.max())]


def over_all_types(table: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage of 50 and 90 % intervals over all cancer types.

    Few draws reach no such interval; then the header says what they would cover.
    """
    chosen = table[
        (table["measure"] == "coverage") & table["every_type"] & table["point"].isin([50, 90])
    ]
    return chosen.assign(
        interval=[
            f"{level:.0f} % interval"
            + ("" if np.isclose(nominal, level / 100) else f", reached: {nominal:.0%}")
            for level, nominal in zip(chosen["point"], chosen["nominal"], strict=True)
        ],
        covered=chosen["value"],
        covered_low=chosen["low"],
        covered_high=chosen["high"],
    )


def all_targets(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all targets together."""
    return table[table["target"] == "all"]


def whole_patients(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the space of all modalities together."""
    return table[table["space"] == "all"]


def single_modalities(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the spaces of one modality."""
    return table[table["space"] != "all"]


def first_metric(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first metric of each task, the one that the paper has."""
    return table[table["metric"] == table.groupby("task")["metric"].transform("first")]


def changes_of_single_draws(table: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's Table 2: what ablation costs and what generated modalities gain over it."""
    rows = first_metric(table)
    rows = rows[~rows["removed"].isin(["", "none", "all"])]
    ablated = rows["method"] == "ablation"
    drawn = rows["method"].isin(["multi", "coherent"]) & (rows["pooling"] == "draw")
    changes = []
    for chosen, quantity in ((ablated, "drop_from_full"), (drawn, "gain_over_ablation")):
        names = [
            name
            for name in map(str, rows.columns)
            if name.removeprefix("paper_").startswith(quantity)
        ]
        renamed = {name: name.replace(quantity, "change") for name in names}
        keys = ["task", "removed", "method"]
        changes.append(rows.loc[chosen, [*keys, *names]].rename(columns=renamed))
    return pd.concat(changes)


def over_patterns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the means over all patterns of removed modalities."""
    return table[table["removed"] == "mean of patterns"]


def best_checkpoints(table: pd.DataFrame) -> pd.DataFrame:
    """Return the step of each model that was kept."""
    return table[table["best"]].drop_duplicates("model", keep="last")


def quarters(table: pd.DataFrame) -> pd.DataFrame:
    """Return the points of acquisition curves at quarters of the patients."""
    # Ratios come from a file, where 0.75 may be a little less.
    chosen = table[((4 * table["ratio"]).round(6) % 1 == 0) & table["ratio"].notna()]
    return chosen.assign(measured=[f"{100 * ratio:.0f} % measured" for ratio in chosen["ratio"]])


def excerpt_of_ranking(table: pd.DataFrame) -> pd.DataFrame:
    """Return the first ranks of the clinic's table; the display leaves the names out."""
    first = table.groupby([name for name in ("task", "modality") if name in table], sort=False)
    return first.head(RANKS_SHOWN)
