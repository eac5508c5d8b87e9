import pandas as pd
import pytest

from tcga_coherent.histology.expression.programmes import (
    Programme,
    parse_programmes,
    programme_scores,
)

Z = pd.DataFrame({"KRT8": [1.0, -1.0], "KRT18": [3.0, 1.0], "CD3E": [5.0, 6.0]}, index=["A", "B"])


def test_a_score_is_the_mean_of_the_genes_that_a_name_or_pattern_fits():
    programmes = {"epithelial": Programme(("KRT*",)), "t_cell": Programme(("CD3E", "CD2"))}
    scores = programme_scores(Z, programmes)
    assert scores.to_dict("list") == {"epithelial": [2.0, 0.0], "t_cell": [5.0, 6.0]}


def test_a_programme_without_genes_is_named():
    with pytest.raises(
        ValueError, match=r"programme b_cell has no gene .* gene_programmes\.b_cell"
    ):
        programme_scores(Z, {"b_cell": Programme(("MS4A1",))})


def test_an_environment_takes_a_programme_away_by_null():
    given = {"a": {"genes": ["X"], "measure": "eosin"}, "b": None}
    assert parse_programmes(given) == {"a": Programme(("X",), "eosin")}
