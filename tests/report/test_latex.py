import re

import pandas as pd
import pytest

from tcga_coherent.report.display import display
from tcga_coherent.report.latex import escape, to_latex
from tcga_coherent.report.views import TableView

TABLE = pd.DataFrame(
    {
        "cancer_type": ["A&B", "50 %_{x}"],
        "r2_mean": [-0.25, 0.5],
        "r2_std": [0.01, 0.02],
        "paper_r2_mean": [0.5, float("nan")],
        "paper_r2_std": [0.25, float("nan")],
    }
)


def latex(table):
    return to_latex(display(table, TableView("t_1", "R² in % of 1 ± sd.", key="t_1b"), {}))


def test_special_characters_are_written_out():
    assert escape(r"a_b & 5 % #1 {x} $ \ ~^") == (
        r"a\_b \& 5 \% \#1 \{x\} \$ \textbackslash{} \textasciitilde{}\textasciicircum{}"
    )
    assert escape("−0.5 ± 0.1, R²") == r"$-$0.5 $\pm$ 0.1, R$^2$"


def test_a_table_has_rules_caption_label_and_as_many_cells_as_columns():
    text = latex(TABLE)
    assert r"\caption{R$^2$ in \% of 1 $\pm$ sd.}" in text
    assert r"\label{tab:t_1b}" in text
    begin = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert begin
    assert begin[1] == "lrr"
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    groups, *others = rows
    assert r"\multicolumn{2}{c}{}" in groups
    assert "paper, another cohort" in groups
    assert [len(re.split(r"(?<!\\)&", row)) for row in others] == [3, 3, 3]
    assert others[1] == r"A\&B & $-$0.250 $\pm$ 0.010 & 0.500 $\pm$ 0.250 \\"
    assert others[2] == r"50 \%\_\{x\} & 0.500 $\pm$ 0.020 & -- \\"
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_a_table_without_groups_has_one_line_of_headers():
    text = latex(TABLE[["cancer_type", "r2_mean", "r2_std"]])
    assert "multicolumn" not in text
    assert next(line for line in text.splitlines() if line.endswith(r"\\")) == (
        r"cancer type & R$^2$ of draws \\"
    )


@pytest.mark.parametrize("character", ["²", "±", "−", "–", "×"])
def test_no_character_is_left_that_needs_a_certain_engine(character):
    assert escape(character).isascii()


def test_a_table_whose_every_row_was_skipped_becomes_a_comment():
    skipped = pd.DataFrame({"space": ["all"], "note": ["6 test patients are too few"]})
    view = TableView("fig1_umap", "Numbers.", columns=("set", "precision"), across=("set",))
    assert to_latex(display(skipped, view, {})).startswith("% fig1_umap holds no numbers")
