import numpy as np
import pytest

from tcga_coherent.privacy.attacks.controls import draw_gaussian, regenerate_by_gaussian


@pytest.fixture(scope="module")
def measured() -> dict[str, np.ndarray]:
    """Two modalities, the second twice the first up to noise of variance 0.25."""
    random = np.random.default_rng(0)
    first = random.normal(size=(4000, 2)) + 3
    return {"cna": first, "rna": 2 * first + 0.5 * random.normal(size=(4000, 2))}


def test_draws_have_mean_and_covariance_of_the_patients(measured) -> None:
    drawn = draw_gaussian(measured, 20_000, seed=0)
    assert {name: rows.shape for name, rows in drawn.items()} == {
        "cna": (20_000, 2),
        "rna": (20_000, 2),
    }
    rows, patients = (np.hstack(list(values.values())) for values in (drawn, measured))
    np.testing.assert_allclose(rows.mean(axis=0), patients.mean(axis=0), atol=0.06)
    np.testing.assert_allclose(np.cov(rows.T), np.cov(patients.T), atol=0.12)


def test_modalities_are_drawn_given_the_others_of_the_patient(measured) -> None:
    drawn = regenerate_by_gaussian(measured, n_draws=200, seed=0)["rna"]
    assert drawn.shape == (200, 4000, 2)
    # Mean and variance of the second given the first are known.
    np.testing.assert_allclose(drawn.mean(axis=0), 2 * measured["cna"], atol=0.25)
    np.testing.assert_allclose(drawn.var(axis=0).mean(axis=0), 0.25, atol=0.02)


def test_fewer_patients_than_dimensions_can_be_regenerated() -> None:
    random = np.random.default_rng(0)
    few = {name: random.normal(size=(6, 8)) for name in ("cna", "rna")}
    assert np.isfinite(regenerate_by_gaussian(few, 2, seed=0)["cna"]).all()
