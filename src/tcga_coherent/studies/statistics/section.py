"""What the report shows of tests."""

from tcga_coherent.report.views import Section, TableView

SECTION = Section(
    "Statistics",
    "Repeats of one split tell how much chance in the models matters, not how much another "
    "sample of patients would: tests over repeats and intervals over patients stand apart.",
    (
        TableView(
            "s6_statistics",
            "Table S6. Over repeats: repeated-measures ANOVA and paired t tests, corrected for "
            "the number of tests of their kind in the study (means of patterns apart) by Holm's and "
            "Bonferroni's rules. Over patients: the paired difference with its bootstrap "
            "interval [ ]. ± is the standard deviation over repeats.",
            columns=(
                *("study", "condition", "metric", "unit", "test", "treatment", "reference"),
                *("difference", "statistic", "p", "p_holm", "p_bonferroni", "n_tests"),
            ),
        ),
    ),
    "--pipeline evaluation --tags statistics",
)
