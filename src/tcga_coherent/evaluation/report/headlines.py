"""The numbers that the summary of the report names first, as sentences."""

from collections.abc import Callable, Mapping

import pandas as pd

from tcga_coherent.evaluation.palette import METHOD_LABELS
from tcga_coherent.evaluation.report.display import format_number
from tcga_coherent.evaluation.report.parts import Parts
from tcga_coherent.evaluation.report.sections import of_the_paper

Labels = Mapping[str, str]

# Beside the methods of the paper stands the strongest of the simple ones.
COMPARED = ("coherent", "multi", "ridge")


def headlines(parts: Parts, modalities: Labels) -> list[str]:
    """Return the sentences of all tables that exist.

    Parameters
    ----------
    parts
        Tables.
    modalities
        Modality to its name in sentences.
    """
    return [
        sentence
        for name, sentences in HEADLINES.items()
        if name in parts.tables
        for sentence in sentences(parts.tables[name](), modalities)
    ]


def reconstruction(table: pd.DataFrame, modalities: Labels) -> list[str]:
    """Say how well each modality is reconstructed from all others, and how honest intervals are."""
    from_all = of_the_paper(table)
    sentences = []
    for target, rows in from_all.groupby("target", sort=False):
        chosen = rows.set_index("method").loc[list(COMPARED)]
        scores = "; ".join(
            f"{METHOD_LABELS[str(method)]} {_with_interval(row, 'r2_of_mean')}"
            for method, row in chosen.iterrows()
        )
        sentences.append(f"{modalities[str(target)]} from all other modalities, R²: {scores}.")
    covered = 100 * from_all.loc[from_all["method"] == "coherent", "coverage_90"]
    sentences.append(
        f"90 % intervals of Coherent Denoising hold {covered.min():.1f} to {covered.max():.1f} % of "
        f"the true values, by modality."
    )
    return sentences


def coherence(table: pd.DataFrame, modalities: Labels) -> list[str]:
    """Say how well a modality exchanged between patients is found."""
    found = table[(table["measure"] == "auroc") & (table["statistic"] == "disagreement")]
    if found.empty:
        return []
    by_target = found.groupby("target", sort=False)["value"].mean()
    scores = ", ".join(f"{modalities[str(name)]} {value:.2f}" for name, value in by_target.items())
    return [
        f"Modalities exchanged between patients are found by their disagreement; area under the "
        f"receiver operating curve, by the modality generated: {scores}."
    ]


def _with_interval(row: pd.Series, quantity: str) -> str:
    value, low, high = (format_number(row[quantity + end], 3) for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"


# Table to the function that says what it shows, in the order of the summary.
HEADLINES: Mapping[str, Callable[[pd.DataFrame, Labels], list[str]]] = {
    "table1_reconstruction": reconstruction,
    "coherence_error": coherence,
}
