import numpy as np
import pytest

from tcga_coherent.privacy.generation.references import (
    copies,
    gaussian,
    standard_normal,
    unlinked,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def train() -> np.ndarray:
    mixing = np.array([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.0, 1.0]])
    return np.random.default_rng(1).exponential(size=(500, 3)) @ mixing.T + 4


def test_copies_are_training_patients_some_of_them_twice(train, rng) -> None:
    rows = copies(train, 300, rng)
    assert rows.shape == (300, 3)
    assert {tuple(row) for row in rows} <= {tuple(row) for row in train}
    assert len(np.unique(rows, axis=0)) < 300


def test_a_gaussian_has_the_mean_and_covariance_of_the_training_patients(train, rng) -> None:
    rows = gaussian(train, 200_000, rng)
    np.testing.assert_allclose(rows.mean(axis=0), train.mean(axis=0), rtol=0.01)
    np.testing.assert_allclose(
        np.cov(rows, rowvar=False), np.cov(train, rowvar=False), rtol=0.03, atol=0.03
    )


def test_one_dimension_is_enough_for_a_gaussian(train, rng) -> None:
    rows = gaussian(train[:, :1], 50_000, rng)
    assert rows.shape == (50_000, 1)
    assert rows.std() == pytest.approx(train[:, 0].std(), rel=0.02)


def test_a_standard_normal_knows_the_number_of_dimensions_alone(train) -> None:
    first, second = (
        standard_normal(values, 50_000, np.random.default_rng(0)) for values in (train, train * 9)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(np.cov(first, rowvar=False), np.eye(3), atol=0.03)


def test_unlinked_modalities_keep_their_rows_and_lose_their_patients(train, rng) -> None:
    first, second = train[:, :2], train[:, :2] * 3
    rows = unlinked([first, second], rng)
    for block, original in ((rows[:, :2], first), (rows[:, 2:], second)):
        np.testing.assert_array_equal(np.sort(block, axis=0), np.sort(original, axis=0))
        assert {tuple(row) for row in block} == {tuple(row) for row in original}
    assert abs(np.corrcoef(rows[:, 0], rows[:, 2])[0, 1]) < 0.15
