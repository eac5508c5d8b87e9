"""What the report shows of reconstruction."""

from collections.abc import Mapping

import pandas as pd

from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.figures.palette import METHOD_LABELS
from tcga_coherent.report.display import with_interval
from tcga_coherent.report.views import FigureView, Headline, Section, TableView

# Beside the methods of the paper stands the strongest of the simple ones.
COMPARED = ("coherent", "multi", STRONGEST)


def of_the_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of Table 1 that the paper has: single sources, and all sources together."""
    n_sources = table["source"].str.count(r"\+")
    return table[(table["method"] == "single") | (n_sources == n_sources.max())]


def from_all_sources(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows from all sources of the methods that are worth comparing."""
    n_sources = table["source"].str.count(r"\+")
    compared = table["method"].isin(COMPARED)
    return table[compared & (n_sources == n_sources.max())]


def summary(table: pd.DataFrame, modalities: Mapping[str, str]) -> list[str]:
    """Say how well each modality is reconstructed from all others, and how honest intervals are."""
    from_all = of_the_paper(table)
    sentences = []
    for target, rows in from_all.groupby("target", sort=False):
        rows = rows.set_index("method")
        # Of two modalities each has one source: nothing for an ensemble to bring together.
        chosen = rows.loc[[method for method in COMPARED if method in rows.index]]
        scores = "; ".join(
            f"{METHOD_LABELS[str(method)]} {with_interval(row, 'r2_of_mean')}"
            for method, row in chosen.iterrows()
        )
        sentences.append(f"{modalities[str(target)]} from all other modalities, R²: {scores}.")
    covered = 100 * from_all.loc[from_all["method"] == "coherent", "coverage_90"]
    if len(covered):
        sentences.append(
            f"90 % intervals of Coherent Denoising hold {covered.min():.1f} to {covered.max():.1f} % "
            f"of the true values, by modality."
        )
    return sentences


SECTION = Section(
    "Reconstruction",
    "Every modality of the test patients is generated from the others and compared with what "
    "was measured. R² is 1 − SSres/SStot over all entries of the test latents. R² of draws is "
    "that of one generated profile, as in the paper; R² of mean that of the mean of all draws, "
    "the point estimate.",
    (
        TableView(
            "table1_reconstruction",
            "Table 1. ± is the standard deviation over draws, [ ] the bootstrap interval over "
            "test patients. The paper's ± is over its 10 draws.",
            columns=("target", "method", "source", "r2", "variance_percent", "r2_of_mean", "crps"),
            rows=of_the_paper,
        ),
        FigureView(
            "table1_reconstruction",
            "Dots of R² of the mean of draws with intervals, a panel a target, a row a set of "
            "sources, a marker a method; below, coverage of intervals.",
            "Table 1 as a figure, all sets of sources. Bars are bootstrap intervals over patients.",
        ),
        TableView(
            "table1_reconstruction",
            "Table 1, all methods from all sets of sources. Spread as above.",
            key="table1_reconstruction_all",
            columns=(
                "target",
                "method",
                "source",
                "r2",
                "r2_of_mean",
                "variance_percent",
                "crps",
                "energy_score",
                "coverage_50",
                "coverage_90",
                "spread_skill",
            ),
        ),
        TableView(
            "s2_reconstruction_by_type",
            "Table S2. R² of the mean draw from all sources by cancer type. [ ] is the bootstrap "
            "interval over test patients of the type.",
            columns=("cancer_type", "method", "target", "r2_of_mean"),
            rows=from_all_sources,
            across=("target",),
            command="--pipeline evaluation --tags reconstruction",
        ),
        FigureView(
            "s2_reconstruction_by_type",
            "R² by cancer type, a panel a target.",
            "Figure S2. Reconstruction by cancer type.",
            command="--pipeline evaluation --tags reconstruction",
        ),
        FigureView(
            "s2_source_sets_by_type",
            "R² by cancer type and set of sources, a panel a target.",
            "Figure S2, by set of sources.",
            command="--pipeline evaluation --tags reconstruction",
        ),
        TableView(
            "decoded_reconstruction",
            "Reconstruction in the features themselves: genes, proteins, copy numbers, decoded "
            "from generated latents. Coverage: share of the measured values within the interval about "
            "a generator's draws, to which what the latents lose is added.",
            command="--pipeline evaluation --tags reconstruction",
        ),
        FigureView(
            "decoded_reconstruction",
            "Distribution over features of the correlation between decoded and measured values.",
            "Correlation of each feature's decoded with its measured values over test patients.",
            command="--pipeline evaluation --tags reconstruction",
        ),
        TableView(
            "decoded_features",
            "Features reconstructed best and worst. [ ] is the bootstrap interval over test "
            "patients; the best of many are best by luck too.",
            command="--pipeline evaluation --tags reconstruction",
        ),
    ),
    "--pipeline evaluation",
    headlines=(
        Headline(
            "table1_reconstruction",
            summary,
            (
                *("target", "method", "source", "coverage_90"),
                *("r2_of_mean", "r2_of_mean_low", "r2_of_mean_high"),
            ),
        ),
    ),
)
