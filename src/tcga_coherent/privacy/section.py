"""What the report shows of privacy."""

import pandas as pd

from tcga_coherent.report.views import FigureView, Section, TableView


def all_targets(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all targets together."""
    return table[table["target"] == "all"]


SECTION = Section(
    "Privacy",
    "What the models give away. Table 3 asks, as the paper does, whether profiles generated without "
    "any patient look like patients; the rows of a Gaussian, of held-out patients and of copies say "
    "what its numbers mean. Whether they betray training patients is asked by the attacks.",
    (
        TableView(
            "table3_privacy",
            "Table 3. F1 of covering the manifold of training patients (high is bad) and energy "
            "distance to them (low is bad). ± is the standard deviation over runs.",
        ),
        FigureView(
            "fig5_unconditional",
            "PCA and UMAP projections of training patients and of profiles generated without a "
            "condition, a column a method.",
            "Figure 5. Profiles generated without a condition, among training patients.",
        ),
        TableView(
            "privacy_attacks",
            "Attacks beyond the paper, all modalities together: what someone who holds generated "
            "profiles, or the models, learns of training patients. [ ] is the bootstrap interval over "
            "patients; null is what nothing remembered gives.",
            columns=(
                *("attack", "method", "setting", "group", "statistic"),
                *("value", "null", "beyond_null", "tpr_at_1_fpr"),
            ),
            rows=all_targets,
        ),
        FigureView(
            "privacy_attacks",
            "Strength of each attack with its interval, by method.",
            "Attacks on training patients.",
        ),
        TableView("privacy_utility", "Risk beside use, for each method."),
        FigureView(
            "privacy_utility",
            "Risk of each method against how well it reconstructs.",
            "Risk against use.",
        ),
        TableView(
            "screening",
            "Records closer to a training patient than the threshold below which the nominal rate of "
            "validation patients lie. Distances are those of latents; means of draws are held to the "
            "ratio of the closest two distances. [ ] is the binomial interval over patients, and of "
            "the nominal rate what so few validation patients leave open.",
            columns=(
                *("modality", "records", "method", "kind", "against", "threshold"),
                *("n_records", "n_flagged", "flagged", "nominal", "beyond_nominal"),
                *("closest_is_own", "n_patients"),
            ),
            digits=4,
        ),
        FigureView(
            "screening",
            "Cumulative share of generated records and of held-out patients by their distance to the "
            "closest training patient, with the threshold, a panel a modality.",
            "Distance to the closest training patient. Left of the threshold records are flagged.",
        ),
    ),
    "--pipeline privacy",
)
