import numpy as np
import pytest

from tcga_coherent.measures.precision_recall import f1, on_manifold


def by_hand(points, reference, k):
    """Loop over all pairs, with sorted distances instead of a neighbour search."""
    inside = []
    for point in points:
        hit = False
        for i, center in enumerate(reference):
            own = sorted(np.sqrt(((center - other) ** 2).sum()) for other in reference)
            hit |= bool(np.sqrt(((center - point) ** 2).sum()) <= own[k])
            assert np.isclose(own[0], 0), i
        inside.append(hit)
    return np.array(inside)


@pytest.mark.parametrize("k", [1, 3])
def test_membership_equals_a_loop_over_all_pairs(k) -> None:
    rng = np.random.default_rng(0)
    reference, points = rng.standard_normal((25, 3)), 1.5 * rng.standard_normal((30, 3))
    found = on_manifold(points, reference, k)
    np.testing.assert_array_equal(found, by_hand(points, reference, k))
    assert 0 < found.sum() < 30


def test_a_ball_reaches_to_the_kth_neighbour_and_no_further() -> None:
    line = np.array([[0.0], [1.0], [3.0], [10.0]])
    # Balls of the nearest neighbour: 0±1, 1±1, 3±2, 10±7.
    points = np.array([[-1.0], [-1.01], [2.5], [17.0], [17.01]])
    np.testing.assert_array_equal(on_manifold(points, line, 1), [True, False, True, True, False])
    assert on_manifold(np.array([[-3.0]]), line, 2).item()


def test_narrow_draws_are_precise_and_wide_ones_have_recall() -> None:
    rng = np.random.default_rng(1)
    real = rng.standard_normal((400, 8))
    narrow, wide = 0.4 * rng.standard_normal((400, 8)), 2 * rng.standard_normal((400, 8))
    assert on_manifold(narrow, real, 3).mean() > 0.95
    assert on_manifold(real, narrow, 3).mean() < 0.2
    assert on_manifold(wide, real, 3).mean() < 0.2
    assert on_manifold(real, wide, 3).mean() > 0.95


def test_more_points_than_a_chunk_holds_are_all_judged() -> None:
    points = np.random.default_rng(2).standard_normal((2500, 2))
    found = on_manifold(points, points[:50], 3)
    np.testing.assert_array_equal(found[2400:], on_manifold(points[2400:], points[:50], 3))
    assert found[:50].all()
    assert len(found) == 2500


def test_f1_is_the_harmonic_mean_and_zero_where_both_are() -> None:
    np.testing.assert_allclose(f1(np.array([0.5, 0, 0]), np.array([1, 0, 1])), [2 / 3, 0, 0])


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="3 points have no 3 neighbours"):
        on_manifold(np.zeros((5, 2)), np.zeros((3, 2)), 3)
