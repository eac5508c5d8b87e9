"""What the report shows of fidelity."""

import pandas as pd

from tcga_coherent.report.views import FigureView, Section, TableView


def whole_patients(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the space of all modalities together."""
    return table[table["space"] == "all"]


def single_modalities(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the spaces of one modality."""
    return table[table["space"] != "all"]


MANIFOLD_COLUMNS = (
    *("set", "reading", "type_agreement", "type_agreement_by_chance", "type_agreement_umap"),
    *("precision", "recall", "f1", "energy_distance", "total_variance_ratio", "n_patients"),
)


SECTION = Section(
    "Fidelity",
    "Real and generated test patients in one projection, fitted on real patients only. Each "
    "modality of a generated patient is one draw from the three others.",
    (
        FigureView(
            "fig1_umap",
            "Three UMAP scatter plots side by side: real, multi-condition and coherent patients, "
            "by cancer type.",
            "Figure 1. UMAP of all modalities together. The nearer the clouds of generated "
            "patients to the real ones, the better.",
        ),
        TableView(
            "fig1_umap",
            "What the eye sees in Figure 1, in numbers. Agreement: share of the nearest real "
            "test patients, the patient itself left out, that are of a patient's cancer type. Precision and recall: share of "
            "generated patients among the real ones, and of real ones among the generated. "
            "[ ] is the bootstrap interval over test patients.",
            columns=MANIFOLD_COLUMNS,
            rows=whole_patients,
        ),
        FigureView(
            "s1_umap",
            "UMAP scatter plots of each modality alone, real and generated.",
            "Figure S1. UMAP of each modality alone.",
        ),
        TableView(
            "fig1_umap",
            "The same for each modality alone.",
            columns=("space", *MANIFOLD_COLUMNS),
            rows=single_modalities,
            key="s1_umap",
        ),
    ),
    "--pipeline evaluation --tags fidelity",
)
