import numpy as np
import pandas as pd
import pytest

from tcga_coherent.report.display import (
    PAPER,
    display,
    format_number,
    format_p_value,
)
from tcga_coherent.report.views import TableView

MODALITIES = {"cna": "CNA", "rnaseq": "RNA-Seq"}
TABLE = pd.DataFrame(
    {
        "target": ["cna", "rnaseq"],
        "method": ["coherent", "ridge"],
        "source": ["rnaseq", "cna+rnaseq"],
        "r2_mean": [-0.25, 0.125],
        "r2_std": [0.0181, np.nan],
        "r2_of_mean": [0.3, 0.2],
        "r2_of_mean_low": [0.28, np.nan],
        "r2_of_mean_high": [0.3249, np.nan],
        "n_patients": [366, 1366],
        "paper_r2_mean": [0.063, np.nan],
        "paper_r2_std": [0.016, np.nan],
        "patient_id": ["TCGA-ZZ-0001", "TCGA-ZZ-0002"],
        "note": ["", ""],
    }
)


def shown(table=TABLE, **view):
    return display(table, TableView("t", "caption", **view), MODALITIES)


def test_a_quantity_and_its_spread_are_one_column_and_the_papers_stand_last():
    cells = shown().cells
    assert list(cells.columns) == [
        ("", "target"),
        ("", "method"),
        ("", "sources"),
        ("", "R² of draws"),
        ("", "R² of mean"),
        ("", "patients"),
        (PAPER, "R² of draws"),
    ]
    assert list(cells.iloc[0]) == [
        *("CNA", "Coherent Denoising", "RNA-Seq", "−0.250 ± 0.018", "0.300 [0.280, 0.325]"),
        *("366", "0.063 ± 0.016"),
    ]
    assert list(cells.iloc[1]) == [
        *("RNA-Seq", "Ridge", "CNA + RNA-Seq", "0.125", "0.200", "1,366", "–"),
    ]


def test_numbers_are_told_from_text():
    assert shown(columns=("target", "r2", "n_patients")).numeric == (False, True, True, True)


def test_mean_spread_and_interval_of_one_quantity_stand_together():
    table = pd.DataFrame({"f1_mean": [0.5], "f1_std": [0.01], "f1_low": [0.4], "f1_high": [0.6]})
    cells = shown(table).cells
    assert cells.to_numpy().tolist() == [["0.500 ± 0.010 [0.400, 0.600]"]]
    assert list(cells.columns) == [("", "F1")]


def test_the_interval_of_a_long_table_belongs_to_its_value():
    table = pd.DataFrame({"measure": ["type_f1"], "value": [0.5], "low": [0.4], "high": [0.6]})
    assert shown(table).cells.to_numpy().tolist() == [["type f1", "0.500 [0.400, 0.600]"]]


def test_a_mean_is_a_method_only_in_a_column_of_methods():
    table = pd.DataFrame({"method": ["mean"], "reading": ["mean"]})
    assert shown(table).cells.to_numpy().tolist() == [["Mean", "mean"]]


def test_sentences_keep_the_names_of_parameters():
    table = pd.DataFrame({"reason": ["set max_steps higher"]})
    assert shown(table).cells.to_numpy().tolist() == [["set max_steps higher"]]


def test_no_patient_is_named():
    table = TABLE.assign(examples="TCGA-ZZ-0001, TCGA-ZZ-0002")
    assert "TCGA" not in shown(table).cells.to_string()
    assert (
        "TCGA" not in shown(table, columns=("target", "patient_id", "examples")).cells.to_string()
    )


def test_columns_without_any_value_are_left_out():
    table = pd.DataFrame({"x": [1.5, 2.5], "note": [np.nan, np.nan], "paper_x": [np.nan, np.nan]})
    assert list(shown(table).cells.columns) == [("", "x")]


def test_a_table_of_no_rows_keeps_its_headers():
    cells = shown(TABLE.iloc[:0], columns=("target", "r2")).cells
    assert list(cells.columns) == [("", "target"), ("", "R² of draws"), (PAPER, "R² of draws")]
    assert cells.empty


def test_rows_are_put_side_by_side_in_the_order_they_come_in():
    table = pd.DataFrame(
        {
            "removed": ["rnaseq", "rnaseq", "cna"],
            "method": ["multi", "coherent", "coherent"],
            "gain_mean": [1.0, 2.0, 3.0],
            "gain_std": [0.1, 0.2, 0.3],
            "note": ["", "a reason", ""],
            "paper_gain_mean": [4.0, np.nan, 5.25],
        }
    )
    cells = shown(table, across=("method",), digits=1).cells
    assert list(cells.columns) == [
        ("", "removed"),
        ("Multi-condition", "gain"),
        ("Coherent Denoising", "gain"),
        (f"{PAPER}: Multi-condition", "gain"),
        (f"{PAPER}: Coherent Denoising", "gain"),
    ]
    assert cells.to_numpy().tolist() == [
        ["RNA-Seq", "1.0 ± 0.1", "2.0 ± 0.2", "4.0", "–"],
        ["CNA", "–", "3.0 ± 0.3", "–", "5.2"],
    ]


def test_rows_that_cannot_stand_side_by_side_are_named():
    table = pd.DataFrame({"task": ["a", "a"], "method": ["multi", "multi"], "f1": [0.5, 0.25]})
    with pytest.raises(
        ValueError, match="rows of t side by side: several have the same task, method"
    ):
        shown(table, across=("method",))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"),
        (-0.5, "−0.500"),
        (-0.0001, "0.000"),
        (0.0, "0.000"),
        (-1234.5, "−1,234"),
        (np.nan, "–"),
    ],
)
def test_numbers_are_rounded_and_zero_has_no_sign(value, text):
    assert format_number(value, 3) == text


def test_small_p_values_are_powers_of_ten():
    assert format_p_value(0.04321, 3) == "0.043"
    assert format_p_value(3.2e-12, 3) == "3e−12"
    assert format_p_value(3.2e-5, 3) == "3e−5"
    assert format_p_value(0.0, 3) == "0.000"
    table = pd.DataFrame({"p_holm": [2e-7, 0.5], "gain": [2e-7, 0.5]})
    assert shown(table).cells.to_numpy().tolist() == [["2e−7", "0.000"], ["0.500", "0.500"]]


def test_a_selection_without_rows_is_shown_as_an_empty_table() -> None:
    shown_table = shown(TABLE[:0], across=("method",))
    assert len(shown_table.cells) == 0
