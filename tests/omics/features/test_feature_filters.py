import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.features.feature_filters import (
    DropConstantFeatures,
    DropEmptyFeatures,
    DropLowExpression,
    DropMissingFeatures,
    FeatureFilter,
    ThinCorrelatedNeighbours,
    TopVariance,
)


def kept(step: FeatureFilter, table: pd.DataFrame) -> list[str]:
    step.fit(table)
    assert list(step.forward(table).columns) == list(step.output_features)
    return list(step.output_features)


def test_features_missing_in_more_than_the_bound_go_and_those_at_the_bound_stay() -> None:
    table = pd.DataFrame(np.ones((10, 4), np.float32), columns=list("ABCD"))
    table.iloc[:1, 1] = np.nan
    table.iloc[:2, 2] = np.nan
    table.iloc[:, 3] = np.nan
    assert kept(DropMissingFeatures(max_missing=0.1), table) == ["A", "B"]


def test_empty_and_constant_features_go() -> None:
    table = pd.DataFrame(
        {"A": [np.nan] * 3, "B": [5, 5, np.nan], "C": [1, 2, np.nan]}, dtype=np.float32
    )
    assert kept(DropEmptyFeatures(), table) == ["B", "C"]
    assert kept(DropConstantFeatures(), table) == ["C"]


def test_genes_stay_where_a_fifth_of_the_patients_has_more_than_one_count_per_million() -> None:
    log_cpm = pd.DataFrame(0.0, index=range(10), columns=list("ABC"), dtype=np.float32)
    log_cpm.loc[:0, "A"] = 5  # 10 % of the patients
    log_cpm.loc[:1, "B"] = 1.01  # 20 %
    log_cpm.loc[:8, "C"] = 1  # CPM of exactly 1 is not above 1
    assert kept(DropLowExpression(min_value=1.0, min_share=0.2), log_cpm) == ["B"]


def test_top_variance_keeps_the_most_variable_features_in_their_order() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(50, 4)) * [1, 9, 3, 5], columns=list("ABCD"))
    assert kept(TopVariance(n=2), table.astype(np.float32)) == ["B", "D"]
    assert kept(TopVariance(n=99), table.astype(np.float32)) == list("ABCD")


def test_neighbours_on_one_segment_are_thinned_to_the_first() -> None:
    rng = np.random.default_rng(0)
    segments = rng.normal(size=(80, 3))
    table = pd.DataFrame(
        segments[:, [0, 0, 0, 1, 1, 2]] + 0.01 * rng.normal(size=(80, 6)), columns=list("ABCDEF")
    ).astype(np.float32)
    table.iloc[:3, 1] = np.nan
    assert kept(ThinCorrelatedNeighbours(min_correlation=0.95), table) == ["A", "D", "F"]
    assert kept(ThinCorrelatedNeighbours(min_correlation=1.0), table) == list("ABCDEF")


def test_thinning_keeps_what_correlates_too_little_with_the_last_feature_that_stayed() -> None:
    rng = np.random.default_rng(1)
    # A random walk along the genome, over the border of a block of columns.
    table = pd.DataFrame(np.cumsum(rng.normal(size=(60, 1500)), axis=1), dtype=np.float32)
    step = ThinCorrelatedNeighbours(min_correlation=0.9)
    step.fit(table)
    correlation = np.corrcoef(table.to_numpy(np.float64).T)
    last, expected = 0, [0]
    for j in range(1, 1500):
        if correlation[last, j] < 0.9:
            last = j
            expected.append(j)
    assert list(step.output_features) == expected


def test_dropped_features_stay_dropped_on_the_way_back() -> None:
    table = pd.DataFrame({"A": [1, 2], "B": [1, 1]}, dtype=np.float32)
    step = DropConstantFeatures()
    step.fit(table)
    pd.testing.assert_frame_equal(step.backward(step.forward(table)), table[["A"]])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: DropMissingFeatures(max_missing=10),
            "max_missing must be between 0 and 1, got 10",
        ),
        (lambda: DropLowExpression(min_value=1, min_share=-1), "min_share must be between 0 and 1"),
        (lambda: TopVariance(n=0), "n must be at least 1, got 0"),
    ],
)
def test_bounds_out_of_range_are_named(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
