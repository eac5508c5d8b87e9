import tracemalloc

import numpy as np
import pytest
from scipy.stats import norm

from tcga_coherent.measures import neighborhoods
from tcga_coherent.measures.neighborhoods import energy_distance, type_agreement


def mean_over_pairs(real: np.ndarray, generated: np.ndarray) -> float:
    n = len(real)
    return float(energy_distance(real, generated, np.ones((1, n), dtype=np.int64))[0])


def test_agreement_is_one_for_separate_types_and_chance_for_shuffled_ones() -> None:
    rng = np.random.default_rng(0)
    types = np.repeat(["a", "b"], 200)
    points = rng.standard_normal((400, 3)) + 50 * (types == "b")[:, None]
    assert (type_agreement(points, types, points, types, 10) == 1).all()
    shuffled = rng.permutation(types)
    mixed = type_agreement(points, shuffled, points, shuffled, 10)
    assert mixed.mean() == pytest.approx(0.5, abs=0.05)


def test_points_are_asked_for_their_own_type_and_neighbours_for_theirs() -> None:
    real = np.array([[0.0], [1.0], [10.0], [11.0]])
    points = np.array([[0.9], [0.1], [0.2], [10.9]])
    real_types, types = np.array(["a", "b", "c", "d"]), np.array(["b", "a", "a", "c"])
    # Without themselves: nearest to the points are 1 (b), 0 (a), 0 (a) and 10 (c).
    assert (type_agreement(real, real_types, points, types, 1) == 1).all()
    assert (type_agreement(real, types, points, real_types, 1) == [1, 1, 0, 0]).all()


def test_agreement_equals_a_direct_search_that_leaves_the_patient_out() -> None:
    rng = np.random.default_rng(1)
    real, points = rng.standard_normal((2, 40, 3))
    types = rng.choice(["a", "b", "c"], size=40)
    shares = []
    for i in range(40):
        others = np.delete(np.arange(40), i)
        distances = np.linalg.norm(real[others] - points[i], axis=1)
        shares.append(np.mean(types[others[np.argsort(distances)[:4]]] == types[i]))
    np.testing.assert_allclose(type_agreement(real, types, points, types, 4), shares)


def test_energy_distance_of_shifted_gaussians_equals_the_closed_form() -> None:
    # |X - Y| is folded normal with mean m and variance 2.
    shift = 2.0
    apart = 2 / np.sqrt(np.pi) * np.exp(-(shift**2) / 4)
    apart += shift * (1 - 2 * norm.cdf(-shift / np.sqrt(2)))
    expected = 2 * apart - 4 / np.sqrt(np.pi)
    rng = np.random.default_rng(2)
    shifts = np.array([0, shift])[:, None, None]
    distances = [mean_over_pairs(*(rng.standard_normal((2, 200, 1)) + shifts)) for _ in range(200)]
    assert np.mean(distances) == pytest.approx(expected, abs=0.05)


def test_energy_distance_is_zero_on_average_for_alike_patients_of_one_distribution() -> None:
    rng = np.random.default_rng(3)
    distances = []
    for _ in range(300):
        shared = rng.standard_normal((30, 5))
        real, generated = shared + 0.3 * rng.standard_normal((2, 30, 5))
        distances.append(mean_over_pairs(real, generated))
    assert np.mean(distances) == pytest.approx(0, abs=4 * np.std(distances) / np.sqrt(300))
    assert np.std(distances) < 0.05


def test_energy_distance_is_the_mean_over_pairs_of_different_patients_whatever_the_chunks(
    monkeypatch,
) -> None:
    monkeypatch.setattr(neighborhoods, "CHUNK_ROWS", 5)
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, 12, 3))
    counts = rng.multinomial(12, np.full(12, 1 / 12), size=3)
    for sample, found in zip(counts, energy_distance(x, y, counts), strict=True):
        drawn = np.repeat(np.arange(12), sample)
        pairs = [
            2 * np.linalg.norm(x[i] - y[j])
            - np.linalg.norm(x[i] - x[j])
            - np.linalg.norm(y[i] - y[j])
            for i in drawn
            for j in drawn
            if i != j
        ]
        assert found == pytest.approx(np.mean(pairs))


def test_memory_does_not_grow_with_the_pairs_of_patients() -> None:
    x, y = np.random.default_rng(5).standard_normal((2, 6000, 2))
    counts = np.ones((1, 6000), dtype=np.int64)
    tracemalloc.start()
    energy_distance(x, y, counts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All pairs at once are 288 MB a matrix.
    assert peak < 150e6
