import pandas as pd
import pytest

from tcga_coherent.omics.features.identifiers import match_identifiers, naming_of

GENES = pd.Index(["ENSG00000141510.17", "ENSG00000012048.23", "ENSG00000146648.18"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["ENSG00000141510", "ENSG00000146648.5"], [GENES[0], GENES[2]]),
        (["ENSG00000141510.17", "ENSG00000141510.3"], [GENES[0], "ENSG00000141510.3"]),
        (["ENSG00000141510.1", "ENSG00000141510.2"], ["ENSG00000141510.1", "ENSG00000141510.2"]),
        (["TP53", "ENSG00000999999.1", "HLA.1"], ["TP53", "ENSG00000999999.1", "HLA.1"]),
    ],
)
def test_versions_of_genes_are_no_difference_where_one_gene_is_meant(
    given: list[str], expected: list[str]
) -> None:
    assert list(match_identifiers(pd.Index(given), GENES)) == expected


def test_of_two_known_versions_nobody_can_say_which_is_meant() -> None:
    known = pd.Index(["ENSG00000141510.17", "ENSG00000141510.18"])
    assert list(match_identifiers(pd.Index(["ENSG00000141510"]), known)) == ["ENSG00000141510"]


def test_known_genes_without_versions_are_found_by_those_with_them() -> None:
    bare = pd.Index(["ENSG00000141510", "ENSG00000012048"])
    assert list(match_identifiers(GENES[:2], bare)) == list(bare)


def test_a_users_table_names_features() -> None:
    names = {"7157": "ENSG00000141510", "672": GENES[1], "1": "nothing known"}
    found = match_identifiers(pd.Index(["672", "7157", "1", "5"]), GENES, names)
    assert list(found) == [GENES[1], GENES[0], "nothing known", "5"]
    with pytest.raises(ValueError, match=r"672 and BRCA1 are both called ENSG00000012048\.23"):
        match_identifiers(pd.Index(["672", "BRCA1"]), GENES, {**names, "BRCA1": GENES[1]})


@pytest.mark.parametrize(
    ("labels", "naming"),
    [
        (GENES, "Ensembl identifiers"),
        (pd.Index(["7157", "672"]), "Entrez numbers"),
        (pd.Index(["TP53", "672"]), "names"),
        (pd.Index([]), "names"),
    ],
)
def test_ways_of_naming_are_told_apart(labels: pd.Index, naming: str) -> None:
    assert naming_of(labels) == naming
