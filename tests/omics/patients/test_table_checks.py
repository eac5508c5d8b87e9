import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.patients.table_checks import check_table

TABLE = pd.DataFrame(
    np.ones((3, 2), np.float32), index=["TCGA-1", "TCGA-2", "TCGA-3"], columns=["EGFR", "TP53"]
)


def test_a_good_table_passes_missing_values_included() -> None:
    check_table(TABLE.where(TABLE.index.to_series() != "TCGA-1", np.nan), "cna")


def test_a_twofold_patient_is_named() -> None:
    with pytest.raises(ValueError, match="cna: patient TCGA-2 occurs more than once"):
        check_table(TABLE.iloc[[0, 1, 1]], "cna")


def test_a_twofold_feature_is_named() -> None:
    with pytest.raises(ValueError, match="cna: feature EGFR and 1 more occur more than once"):
        check_table(TABLE[["EGFR", "TP53", "EGFR", "TP53"]], "cna")


def test_an_infinite_value_is_named_by_feature_and_patient() -> None:
    table = TABLE.copy()
    table.loc["TCGA-3", "TP53"] = -np.inf
    with pytest.raises(ValueError, match="cna: feature TP53 of patient TCGA-3 is infinite"):
        check_table(table, "cna")


def test_a_column_of_text_is_named() -> None:
    with pytest.raises(ValueError, match="cna: feature TP53 holds object, not numbers"):
        check_table(TABLE.assign(TP53="high"), "cna")
