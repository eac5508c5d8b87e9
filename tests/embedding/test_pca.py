import numpy as np
import pytest

from tcga_coherent.embedding.pca import PrincipalComponents


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(60, 12)) * np.arange(1, 13) + 3).astype(np.float32)


def test_axes_are_the_right_singular_vectors_of_the_centred_rows(rows):
    components = PrincipalComponents.fit(rows, 4, seed=0)
    _, _, axes = np.linalg.svd(rows.astype(float) - rows.mean(axis=0, dtype=float))
    cosines = np.sum(components.axes * axes[:4], axis=1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-4)
    np.testing.assert_allclose(components.mean, rows.mean(axis=0), rtol=1e-5)


def test_all_axes_reconstruct_rows_that_were_not_fitted(rows):
    components = PrincipalComponents.fit(rows, 12, seed=0)
    others = rows[:5] * 2 - 7
    scores = components.project(others)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(components.reconstruct(scores), others, atol=1e-3)


def test_leading_axes_are_the_components_of_that_size(rows):
    leading = PrincipalComponents.fit(rows, 6, seed=0).leading(2)
    smaller = PrincipalComponents.fit(rows, 2, seed=0)
    np.testing.assert_allclose(
        leading.reconstruct(leading.project(rows)),
        smaller.reconstruct(smaller.project(rows)),
        atol=1e-2,
    )
