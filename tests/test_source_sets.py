from tcga_coherent.source_sets import (
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
    assert generative_methods(("a",)) == ("single", "multi")
    assert generative_methods(("a", "b")) == ("multi", "coherent")


def test_partitions_are_named_by_target_method_and_joined_sources() -> None:
    assert join_sources(("rnaseq", "rppa")) == "rnaseq+rppa"
    assert partition_name("cna", "coherent", ("rnaseq", "rppa")) == "cna/coherent/rnaseq+rppa"
