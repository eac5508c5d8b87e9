"""What the tables on privacy say, in sentences with their numbers."""

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from tcga_coherent.figures.palette import METHOD_LABELS
from tcga_coherent.privacy.attacks.table import understatements
from tcga_coherent.privacy.screening.experiment import (
    ALL,
    COMPLETED,
    HELD_OUT,
    OTHERS,
    REGENERATED,
    TEST,
)
from tcga_coherent.report.display import format_number

Labels = Mapping[str, str]

METHODS = ("multi", "coherent")
# Attacks on the models, from the plainest to the strongest.
MEMBERSHIP = {
    "loss": "by its loss alone",
    "calibrated_loss": "by its loss against that of a model that holds nobody",
    "lira_offline": "by likelihood ratios against models trained on other halves of the patients",
}


def findings(tables: Mapping[str, pd.DataFrame], modalities: Labels) -> list[str]:
    """Return the sentences of all tables on privacy that exist, and name those that do not.

    Parameters
    ----------
    tables
        Name to table.
    modalities
        Modality to its name in sentences.
    """
    found: list[str] = []
    for name, (about, sentences) in FINDINGS.items():
        if name not in tables:
            found.append(f"**Not measured: {about}** ({name}.csv is absent).")
            continue
        said = list(sentences(tables[name], modalities))
        found += said or [f"**Not measured: {about}** ({name}.csv has no result)."]
    return found


def unconditional(table: pd.DataFrame, modalities: Labels) -> Iterator[str]:
    """Say what is generated from nothing."""
    rows = table[(table["space"] == "all") & table["f1_mean"].notna()]
    real = ""
    for _, patients in rows[rows["method"] == "held_out"].iterrows():
        real = (
            f" (held-out patients: {_three(patients['f1_mean'])} and "
            f"{_three(patients['energy_distance_mean'])})"
        )
    for method in METHODS:
        for _, row in rows[rows["method"] == method].iterrows():
            yield (
                f"Generated from nothing by {METHOD_LABELS[method]}, whole patients cover the manifold of "
                f"training patients with an F1 of {_spread(row, 'f1')}, at an energy distance of "
                f"{_spread(row, 'energy_distance')} "
                f"[{_three(row['energy_distance_low'])}, {_three(row['energy_distance_high'])}]{real}."
            )


def attacks(table: pd.DataFrame, modalities: Labels) -> Iterator[str]:
    """Say what each attack on all modalities together finds."""
    rows = table[table["target"] == "all"]
    for attack, how in MEMBERSHIP.items():
        matched = rows[(rows["attack"] == attack) & (rows["group"] == "matched")]
        said = [
            f"{METHOD_LABELS[row['method']]} AUROC {_interval(row)}, "
            f"{_percent(row['tpr_at_1_fpr'])} of training patients "
            f"[{_percent(row['tpr_at_1_fpr_low'])}, {_percent(row['tpr_at_1_fpr_high'])}] "
            f"found at 1 % false alarms"
            for row in _by_method(matched)
        ]
        if said:
            yield (
                f"Was this patient trained on? Told from the models and the patient's latents {how} "
                f"(chance: AUROC 0.500, 1 %): {'; '.join(said)}."
            )
    linked = rows[rows["attack"] == "linkage"]
    for row in _by_method(linked):
        yield (
            f"{METHOD_LABELS[row['method']]} draws for training patients have that patient as their "
            f"closest more often than draws for others do, by {_interval(row)} of the draws."
        )
    closest = rows[
        (rows["attack"] == "nearest_record") & (rows["statistic"] == "share_closer_to_train")
    ]
    for group, some in closest.groupby("group", sort=False):
        said = [
            f"{METHOD_LABELS[row['method']]} {_interval(row)} (without memory "
            f"{_three(row['null_low'])} to {_three(row['null_high'])})"
            for row in _by_method(some)
        ]
        yield (
            f"Share of records ({group}) that are closer to a training patient than to a held-out "
            f"one: {'; '.join(said)}."
        )
    for note in understatements(table):
        yield f"**{note}.**"
    canaries = rows[(rows["attack"] == "canary_draws") & (rows["setting"] == "1 copy")]
    for group, some in canaries.groupby("group", sort=False):
        said = [f"{METHOD_LABELS[row['method']]} {_interval(row)} bits" for row in _by_method(some)]
        chance = _three(some["null"].iloc[0])
        yield (
            f"Exposure in draws of made-up patients planted once in training ({group}; chance {chance}): "
            f"{'; '.join(said)}."
        )


def screening(table: pd.DataFrame, modalities: Labels) -> Iterator[str]:
    """Say how many records are flagged, of generated ones and of held-out patients."""
    rows = table[table["n_records"].fillna(0) > 0]
    draws = rows[rows["kind"] == "draw"]
    released = draws[draws["records"].isin([HELD_OUT, TEST, COMPLETED])]
    for _, some in released.groupby(["records", "method"], sort=False):
        origin, method = some["records"].iloc[0], some["method"].iloc[0]
        what = {
            HELD_OUT: "Held-out patients",
            TEST: f"Draws for test patients, {METHOD_LABELS[method]}",
            COMPLETED: f"Draws for completed patients, {METHOD_LABELS[method]}",
        }[origin]
        rates = ", ".join(
            f"{modalities[row['modality']]} {_percent(row['flagged'])} "
            f"[{_percent(row['flagged_low'])}, {_percent(row['flagged_high'])}]"
            for _, row in some.iterrows()
        )
        beyond = modalities_beyond(some, modalities)
        yield (
            f"{what}, flagged below the distance to a training patient that {_nominal(some)} of patients "
            f"never seen stay below: {rates}; {beyond}."
        )
    means = rows[(rows["kind"] == "mean") & rows["records"].isin([TEST, COMPLETED])]
    if len(means):
        yield (
            f"Means of draws, by the ratio of the distances to the closest two training patients: "
            f"{int(means['n_flagged'].sum())} of {int(means['n_records'].sum()):,} are flagged; "
            f"{modalities_beyond(means, modalities)}."
        )
    own = draws[draws["records"] == REGENERATED]
    for method, some in own.groupby("method", sort=False):
        against_all, others = (some[some["against"] == against] for against in (ALL, OTHERS))
        shares = ", ".join(
            f"{modalities[row['modality']]} {_percent(row['closest_is_own'])}"
            for _, row in against_all.iterrows()
        )
        yield (
            f"Of draws for training patients by {METHOD_LABELS[str(method)]}, "
            f"{int(against_all['n_flagged'].sum())} of {int(against_all['n_records'].sum()):,} are "
            f"flagged, {int(others['n_flagged'].sum())} when the patient's own record is left out; the own "
            f"record is the closest of all for {shares}."
        )


def modalities_beyond(rows: pd.DataFrame, modalities: Labels) -> str:
    """Say for which modalities more records are flagged than chance explains."""
    beyond = rows.loc[rows["beyond_nominal"] == "yes", "modality"].unique()
    if len(beyond) == 0:
        return "nowhere more than chance explains"
    return f"more than chance explains for {', '.join(modalities[name] for name in beyond)}"


def _by_method(rows: pd.DataFrame) -> Iterator[pd.Series]:
    """Yield the rows of the methods that the paper compares, those that could be computed."""
    for method in METHODS:
        for _, row in rows[(rows["method"] == method) & rows["value"].notna()].iterrows():
            yield row


def _nominal(rows: pd.DataFrame) -> str:
    return " or ".join(dict.fromkeys(_percent(value) for value in rows["nominal"]))


def _interval(row: pd.Series) -> str:
    return f"{_three(row['value'])} [{_three(row['low'])}, {_three(row['high'])}]"


def _spread(row: pd.Series, quantity: str) -> str:
    return f"{_three(row[f'{quantity}_mean'])} ± {_three(row[f'{quantity}_std'])}"


def _three(value: float) -> str:
    return format_number(float(value), 3)


def _percent(value: float) -> str:
    if 0 < value < 0.5e-4:
        return "under 0.01 %"
    return f"{format_number(100 * float(value), 2 if 0 < value < 0.1 else 0)} %"


# Table to what it measures and the function that says it.
FINDINGS: Mapping[str, tuple[str, Callable[[pd.DataFrame, Labels], Iterator[str]]]] = {
    "table3_privacy": ("what models generate from nothing", unconditional),
    "privacy_attacks": ("attacks on the models and on what they generate", attacks),
    "screening": ("how close generated records come to training patients", screening),
}
