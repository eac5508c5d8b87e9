"""What the report shows of coherence, in the chapter of reconstruction."""

from collections.abc import Mapping

import pandas as pd

from tcga_coherent.report.views import FigureView, Headline, Section, TableView


def summary(table: pd.DataFrame, modalities: Mapping[str, str]) -> list[str]:
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


SECTION = Section(
    views=(
        TableView(
            "coherence_error",
            "Does disagreement of the ensemble tell error, and find modalities exchanged between "
            "patients? [ ] is the bootstrap interval over patients.",
        ),
        FigureView(
            "coherence_error",
            "Error against disagreement of the ensemble, and receiver operating curves of "
            "exchanged modalities.",
            "Coherence and error.",
        ),
    ),
    command="--pipeline evaluation",
    headlines=(Headline("coherence_error", summary, ("target", "measure", "statistic", "value")),),
)
