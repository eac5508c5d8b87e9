import numpy as np
import pytest
from scipy.linalg import sqrtm

from tcga_coherent.histology.evaluation.distances import (
    compare_sets,
    frechet_distance,
    kernel_distance,
)

RNG = np.random.default_rng(0)


def test_the_kernel_distance_is_the_sum_over_pairs():
    x, y = RNG.standard_normal((4, 3)), RNG.standard_normal((5, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    own = np.mean([k(x[i], x[j]) for i in range(4) for j in range(4) if i != j])
    other = np.mean([k(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
    across = np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(own + other - 2 * across)


def test_the_kernel_distance_of_one_distribution_is_zero_on_average():
    drawn = [kernel_distance(*RNG.standard_normal((2, 30, 4))) for _ in range(300)]
    assert abs(np.mean(drawn)) < 4 * np.std(drawn) / np.sqrt(300)
    assert min(drawn) < 0


def test_the_frechet_distance_is_that_of_the_matrix_square_root():
    x, y = (
        RNG.standard_normal((50, 3)) @ RNG.standard_normal((3, 3)),
        RNG.standard_normal((60, 3)) + 2,
    )
    a, b = np.cov(x.T), np.cov(y.T)
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(x, y) == pytest.approx(expected)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)


def test_what_is_further_away_has_the_larger_distance_with_a_spread():
    reference = RNG.standard_normal((60, 5))
    sets = {"near": RNG.standard_normal((40, 5)), "far": RNG.standard_normal((40, 5)) + 1}
    table = compare_sets(reference, sets, 20, 0).set_index("tiles")
    assert table.loc["far", "kid_x1000"] == pytest.approx(
        1000 * kernel_distance(sets["far"], reference)
    )
    assert (
        table.loc["far", "kid_x1000"]
        > table.loc["near", "kid_x1000"] + table.loc["far", "kid_x1000_sd"]
    )
    assert (table["kid_x1000_sd"] > 0).all()
    assert table["n"].tolist() == [40, 40]
    assert table["n_reference"].tolist() == [60, 60]
