"""What the report shows of the ensemble's weights."""

from tcga_coherent.report.views import FigureView, Section, TableView

SECTION = Section(
    views=(
        TableView(
            "s8_weights",
            "Table S8. Weights of the ensemble, and gain over the paper's, the inverse of the MSE. "
            "± is the standard deviation over repeats, [ ] the bootstrap interval over test "
            "patients.",
            columns=("target", "weights", "r2_of_mean", "crps", "r2_of_mean_gain", "crps_gain"),
        ),
        FigureView(
            "s8_weights", "Scores by kind of weights.", "Figure S8. Weights of the ensemble."
        ),
    ),
    command="--pipeline ensemble_studies",
)
