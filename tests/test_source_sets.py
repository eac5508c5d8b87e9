import pandas as pd

from tcga_coherent.source_sets import (
    choose_source_sets,
    generative_methods,
    join_sources,
    partition_name,
    source_sets,
)


def test_source_sets_are_all_non_empty_subsets_of_the_others_in_their_order() -> None:
    assert source_sets("b", ["a", "b", "c", "d"]) == [
        ("a",),
        ("c",),
        ("d",),
        ("a", "c"),
        ("a", "d"),
        ("c", "d"),
        ("a", "c", "d"),
    ]


def test_five_modalities_give_fifteen_source_sets() -> None:
    assert len(source_sets("a", list("abcde"))) == 15


def test_single_models_take_one_source_and_the_ensemble_at_least_two() -> None:
    assert generative_methods(("a",)) == ("single", "multi", "coherent")
    assert generative_methods(("a", "b")) == ("multi", "coherent")


def test_partitions_are_named_by_target_method_and_joined_sources() -> None:
    assert join_sources(("rnaseq", "rppa")) == "rnaseq+rppa"
    assert partition_name("cna", "coherent", ("rnaseq", "rppa")) == "cna/coherent/rnaseq+rppa"


def presence(*patterns: str) -> pd.DataFrame:
    """One patient a pattern: the letters are the modalities that there are."""
    return pd.DataFrame({name: [name in pattern for pattern in patterns] for name in "abcd"})


def test_all_sets_are_those_of_every_target() -> None:
    chosen = choose_source_sets("abcd", presence("ab"), "all")
    assert chosen == {target: source_sets(target, "abcd") for target in "abcd"}


def test_sets_of_a_cohort_are_single_sources_all_of_them_and_what_patients_without_the_target_have() -> (
    None
):
    chosen = choose_source_sets("abcd", presence("cd", "ad", "ad", "abcd", "b", ""), "cohort")
    assert chosen["a"] == [("b",), ("c",), ("d",), ("c", "d"), ("b", "c", "d")]
    assert chosen["b"] == [("a",), ("c",), ("d",), ("a", "d"), ("c", "d"), ("a", "c", "d")]
    # Who has d tells nothing of what it is generated from.
    assert chosen["d"] == [("a",), ("b",), ("c",), ("a", "b", "c")]


def test_sets_of_a_cohort_follow_the_order_of_the_parameters() -> None:
    chosen = choose_source_sets("dcba", presence("cd"), "cohort")
    assert chosen["a"] == [("d",), ("c",), ("b",), ("d", "c"), ("d", "c", "b")]


def test_what_patients_lack_together_can_be_generated_from_what_they_have() -> None:
    frame = presence("cd", "a", "abd")
    chosen = choose_source_sets("abcd", frame, "cohort")
    for pattern in ("cd", "a", "abd"):
        for lacking in set("abcd") - set(pattern):
            assert tuple(pattern) in chosen[lacking]
