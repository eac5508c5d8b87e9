import pandas as pd

from tcga_coherent.omics.patients.losses import describe_losses

PATIENTS = pd.Index([f"P{number:02d}" for number in range(20)])
TYPES = pd.Series(["BRCA"] * 14 + ["SKCM"] * 6, index=PATIENTS)


def test_a_cancer_type_that_loses_all_or_a_third_is_described() -> None:
    assert describe_losses(PATIENTS, PATIENTS[:14], TYPES, "cna", "why") == [
        "cna loses 6 of 20 patients: why",
        "cna loses all 6 patients of SKCM: why",
    ]
    assert describe_losses(PATIENTS, PATIENTS[:17], TYPES, "cna", "why") == [
        "cna loses 3 of 6 patients of SKCM: why"
    ]


def test_small_losses_are_not() -> None:
    assert describe_losses(PATIENTS, PATIENTS[2:], TYPES, "cna", "why") == []
    assert describe_losses(PATIENTS, PATIENTS[:18], TYPES, "cna", "why") == []
