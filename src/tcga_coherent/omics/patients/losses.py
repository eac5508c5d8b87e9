"""Losses of patients that nobody should overlook."""

import pandas as pd

# Of a modality's patients, and of those of a cancer type.
LOUD_SHARE = 0.2
LOUD_SHARE_OF_TYPE = 1 / 3
# One of two patients is no pattern.
FEWEST_OF_TYPE = 3


def describe_losses(
    before: pd.Index, kept: pd.Index, cancer_types: pd.Series, modality: str, why: str
) -> list[str]:
    """Describe heavy losses: a fifth of a modality's patients, or a third of a cancer type's.

    Parameters
    ----------
    before
        Patients of the modality, each once.
    kept
        Those that are left.
    cancer_types
        Cancer type of patients, index patient.
    modality
        Name of the modality.
    why
        What took them, and where it can be looked up.

    Returns
    -------
    list of str
        One sentence a loss, that of the whole modality first.
    """
    lost = ~before.isin(kept)
    messages = []
    if len(before) >= FEWEST_OF_TYPE and lost.mean() >= LOUD_SHARE:
        messages.append(f"{modality} loses {lost.sum()} of {len(before)} patients: {why}")
    types = pd.Series(before, index=before).map(cancer_types).to_numpy()
    by_type = pd.Series(lost).groupby(types).agg(["sum", "size"])
    for cancer_type, n_lost, n in by_type.itertuples(name=None):
        if n_lost >= FEWEST_OF_TYPE and n_lost / n >= LOUD_SHARE_OF_TYPE:
            share = "all" if n_lost == n else f"{n_lost} of"
            messages.append(f"{modality} loses {share} {n} patients of {cancer_type}: {why}")
    return messages
