"""What the report shows of rejection."""

from tcga_coherent.report.views import FigureView, Section, TableView

SECTION = Section(
    views=(
        TableView(
            "s9_rejection",
            "Table S9. Threshold of rejection, changed by up to 30 %. Spreads as above.",
            columns=(
                "settings",
                "target",
                "threshold_change",
                "rejected_share",
                "mean_attempts",
                "r2_of_mean",
                "crps",
            ),
        ),
        FigureView(
            "s9_rejection",
            "Scores and rejected share by threshold.",
            "Figure S9. Threshold of rejection.",
        ),
    ),
    command="--pipeline ensemble_studies",
)
