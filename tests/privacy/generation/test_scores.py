from itertools import combinations, product

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import norm

from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.privacy.generation.scores import (
    METRICS,
    closeness,
    energy_distance,
    energy_distance_interval,
)

RNG = np.random.default_rng(0)
TRAIN = RNG.standard_normal((150, 4))


def direct_energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Means over pairs of different rows, one pair after the other."""
    within_a, within_b = (
        np.mean([np.linalg.norm(i - j) for i, j in combinations(rows, 2)]) for rows in (a, b)
    )
    return 2 * np.mean([np.linalg.norm(i - j) for i, j in product(a, b)]) - within_a - within_b


@pytest.mark.parametrize(("shift", "n_rows"), [(0.0, 150), (0.7, 150), (0.7, 40)])
def test_the_energy_distance_is_the_mean_over_all_pairs(shift, n_rows) -> None:
    rows = np.random.default_rng(1).standard_normal((n_rows, 4)) + shift
    assert energy_distance(TRAIN, rows) == pytest.approx(direct_energy_distance(TRAIN, rows))


def test_the_energy_distance_of_two_normals_is_the_closed_form() -> None:
    """E|X - Y| of normals that are m apart is 2 sqrt(2) phi(m / sqrt 2) + m (2 Phi(...) - 1)."""
    mean = 1.5
    scaled = mean / np.sqrt(2)
    between = 2 * np.sqrt(2) * (norm.pdf(scaled) + scaled * (norm.cdf(scaled) - 0.5))
    # Evenly spread over the distribution, so that chance has no part.
    quantiles = norm.ppf((np.arange(2000) + 0.5) / 2000)[:, np.newaxis]
    found = energy_distance(quantiles, quantiles + mean)
    assert found == pytest.approx(2 * between - 4 / np.sqrt(np.pi), rel=0.01)


def test_the_energy_distance_within_one_distribution_is_zero_on_average() -> None:
    rng = np.random.default_rng(3)
    found = [energy_distance(*rng.standard_normal((2, 15, 3))) for _ in range(300)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)
    assert min(found) < 0


def test_copies_have_all_precision_and_almost_all_recall() -> None:
    rows = TRAIN[np.random.default_rng(4).integers(len(TRAIN), size=len(TRAIN))]
    found = closeness(TRAIN, rows, 3)
    assert set(found) == set(METRICS)
    assert found["precision"] == 1
    assert found["recall"] > 0.75
    assert found["f1"] > 0.85
    assert abs(found["energy_distance"]) < 0.05


def test_rows_around_the_mean_have_precision_without_recall() -> None:
    rows = 0.02 * np.random.default_rng(5).standard_normal((150, 4))
    found = closeness(TRAIN, rows, 3)
    assert found["precision"] == 1
    assert found["recall"] < 0.02
    assert found["f1"] < 0.04
    assert found["energy_distance"] > 0.5


def test_rows_far_and_wide_have_recall_without_precision() -> None:
    rows = 12 * np.random.default_rng(6).standard_normal((150, 4))
    found = closeness(TRAIN, rows, 3)
    assert found["precision"] < 0.05
    assert found["recall"] > 0.5


def test_the_interval_is_that_of_training_patients_drawn_again() -> None:
    rows = np.random.default_rng(7).standard_normal((30, 4)) + 0.5
    train = TRAIN[:40]
    parameters = BootstrapParameters(repeats=200, level=0.9)
    resampled = []
    for counts in resample_patients(len(train), 200, 11):
        who = np.repeat(np.arange(len(train)), counts)
        different = who[:, None] != who[None, :]
        between = cdist(train[who], train[who])[different].mean()
        between_rows = cdist(rows, rows).sum() / (30 * 29)
        resampled.append(2 * cdist(train[who], rows).mean() - between - between_rows)
    found = energy_distance_interval(train, rows, parameters, 11)
    np.testing.assert_allclose(found, np.quantile(resampled, [0.05, 0.95]))
    assert found[0] < energy_distance(train, rows) < found[1]
