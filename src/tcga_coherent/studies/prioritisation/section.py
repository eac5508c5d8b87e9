"""What the report shows of acquisition."""

from collections.abc import Mapping

import pandas as pd

from tcga_coherent.report.display import with_interval
from tcga_coherent.report.views import FigureView, Headline, Section, TableView

RANKS_SHOWN = 20
# Order of acquisition to what it is called.
SCORES = {"coherent": "by their variance", "coherent_expected_change": "by the expected change"}


def quarters(table: pd.DataFrame) -> pd.DataFrame:
    """Return the points of acquisition curves at quarters of the patients."""
    # Ratios come from a file, where 0.75 may be a little less.
    chosen = table[((4 * table["ratio"]).round(6) % 1 == 0) & table["ratio"].notna()]
    return chosen.assign(measured=[f"{100 * ratio:.0f} % measured" for ratio in chosen["ratio"]])


def excerpt_of_ranking(table: pd.DataFrame) -> pd.DataFrame:
    """Return the first ranks of the clinic's table; the display leaves the names out."""
    first = table.groupby([name for name in ("task", "modality") if name in table], sort=False)
    return first.head(RANKS_SHOWN)


def summary(table: pd.DataFrame, modalities: Mapping[str, str]) -> list[str]:
    """Say of each task for which modalities informed acquisition is surely above random."""
    judged = table[table["above_random"].notna() & table["strategy"].isin(SCORES)]
    sentences = []
    for (task, unacquired), rows in judged.groupby(["task", "unacquired"], sort=False):
        found = []
        for strategy, own in rows.groupby("strategy", sort=False):
            areas = [
                f"{modalities[str(row['modality'])]} {with_interval(row, 'area', '_mean')}"
                for _, row in own[own["above_random"] == "yes"].iterrows()
            ]
            found.append(f"{SCORES[str(strategy)]} for {', '.join(areas) or 'none'}")
        sentences.append(
            f"{str(task).capitalize()}, acquisition informed by coherent counterfactuals while the "
            f"modality of the others is {unacquired}; area above random order where its interval is "
            f"above zero, of {rows['modality'].nunique()} modalities: {'; '.join(found)}."
        )
    return sentences


SECTION = Section(
    "Whom to measure next",
    "For a modality that nobody has yet, counterfactual completions say how much a model's "
    "prediction of each patient would depend on it. Patients are measured in the order of that "
    "score, at random, or in the order that would help most (oracle).",
    (
        FigureView(
            "fig4_counterfactual",
            "Score of the model against the share of patients measured, informed and random order.",
            "Figure 4. Acquisition curves of the stage classifier.",
        ),
        FigureView(
            "s5_counterfactual",
            "C-index against the share of patients measured, informed and random order.",
            "Figure S5. Acquisition curves of the survival forest.",
        ),
        TableView(
            "counterfactual_area",
            "Mean difference between the curve of each order and that of random order (area), and "
            "what measuring everybody gains over measuring nobody. Unacquired: what a model sees of "
            "patients who are not measured. ± is the standard deviation over repeats, [ ] the "
            "bootstrap interval over test patients.",
            columns=(
                *("task", "modality", "unacquired", "strategy", "area", "above_random"),
                *("share_of_oracle", "gain", "n_patients"),
            ),
        ),
        TableView(
            "fig4_counterfactual",
            "Figures 4 and S5 in numbers, at quarters of the patients. Spreads as above.",
            columns=("task", "modality", "unacquired", "strategy", "measured", "score"),
            rows=quarters,
            across=("measured",),
        ),
        TableView(
            "counterfactual_ranking_report",
            f"The first {RANKS_SHOWN} ranks of the table for a clinic; the file has all, with the "
            "names of the patients, which a report that is passed on must not show.",
            rows=excerpt_of_ranking,
        ),
    ),
    "--pipeline evaluation --tags counterfactual",
    headlines=(
        Headline(
            "counterfactual_area",
            summary,
            (
                *("task", "modality", "unacquired", "strategy", "above_random"),
                *("area_mean", "area_low", "area_high"),
            ),
        ),
    ),
)
