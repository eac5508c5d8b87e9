"""What the report shows of the size of the latents."""

from tcga_coherent.report.views import FigureView, Section, TableView

SECTION = Section(
    views=(
        TableView("s10_latent_size", "Table S10. Size of the latents. Spreads as above."),
        FigureView(
            "s10_latent_size", "Scores by size of latents.", "Figure S10. Size of the latents."
        ),
    ),
    command="--pipeline ensemble_studies",
)
