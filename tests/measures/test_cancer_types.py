import pandas as pd

from tcga_coherent.measures.cancer_types import name_of_all, type_groups


def test_the_row_over_all_types_has_a_name_that_no_type_has() -> None:
    assert name_of_all(["BRCA", "LUAD"]) == "all"
    assert name_of_all(["all", "(all)"]) == "((all))"


def test_groups_begin_with_all_types_whatever_the_types_are_called() -> None:
    table = pd.DataFrame(
        {
            "cancer_type": ["mean", "(all)", "all", "(all)", "NA"],
            "every_type": [False, True, False, True, False],
        }
    )
    assert type_groups(table) == ["(all)", "NA", "all", "mean"]
