"""What the report shows of preserved signal."""

from tcga_coherent.report.views import FigureView, Section, TableView

SECTION = Section(
    "Preserved signal",
    "Random forests are trained on real latents of one modality and tested on real and on "
    "generated ones of the test patients: what a classifier needs is still there where both do "
    "alike.",
    (
        FigureView(
            "fig2_signal",
            "Macro F1 of classifiers by modality and task, for real, multi-condition and coherent "
            "test patients.",
            "Figure 2 and S3. Classifiers of cancer type and stage.",
        ),
        TableView(
            "signal_claims",
            "What the paper says of preserved signal, and whether it holds here. ± is the standard "
            "deviation over repeats (seed of the forest and draw), [ ] the bootstrap interval over "
            "test patients, which decides.",
        ),
        TableView(
            "fig2_signal",
            "Figure 2 and S3 in numbers. Spreads as above.",
            columns=(
                "task",
                "modality",
                "method",
                "input",
                "macro_f1",
                "balanced_accuracy",
                "macro_f1_difference_to_real",
                "n_patients",
            ),
        ),
    ),
    "--pipeline evaluation --tags signal",
)
