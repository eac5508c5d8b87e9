import pandas as pd

from tcga_coherent.omics.features.outliers import COLUMNS
from tcga_coherent.omics.features.quality_control import (
    describe_exclusions,
    describe_preprocessing,
    order_columns,
)

EXCLUDED = pd.DataFrame(
    [
        ("cna", "P1", "no_cancer_type", None, None, None),
        ("cna", "P2", "level", 1.0, 7.0, 6.0),
        ("cna", "P2", "distance", 3.0, 9.0, 5.0),
        ("cna", "P3", "distance", 3.0, 9.0, 5.0),
        ("rppa", "P4", "level", 1.0, 7.0, 6.0),
    ],
    columns=COLUMNS,
)


def test_a_patient_who_breaks_two_rules_counts_for_the_first() -> None:
    rows = describe_exclusions("cna", ["missing_share", "level", "distance"], EXCLUDED, 100, 20)
    assert rows["step"].tolist() == ["no_cancer_type", "missing_share", "level", "distance"]
    assert rows["removed"].tolist() == [1, 0, 1, 1]
    assert rows["patients_before"].tolist() == [100, 99, 99, 98]
    assert rows["patients_after"].tolist() == [99, 99, 98, 97]
    assert rows["examples"].tolist() == ["P1", "", "P2", "P3"]
    assert (rows["reason"] == "").tolist() == [False, True, False, False]


def test_steps_and_imputation_follow_each_other() -> None:
    report = pd.DataFrame(
        [("clip", 80, 20, 20, 0, "", ""), ("drop", 80, 20, 10, 10, "missing", "A, B")],
        columns=[
            "step",
            "patients",
            "features_before",
            "features_after",
            "removed",
            "reason",
            "examples",
        ],
    )
    rows = order_columns(describe_preprocessing("cna", report, patients=97, imputed_cells=97))
    assert rows["step"].tolist() == ["clip", "drop", "impute"]
    assert set(rows["patients_before"]) == {97}
    assert rows["imputed_cells"].iloc[-1] == 97
    assert rows["imputed_share"].iloc[-1] == 0.1
    assert rows["imputed_cells"].isna().tolist() == [True, True, False]
