import numpy as np
import pytest

from tcga_coherent.measures.percentiles import percentile_among


def test_the_patient_counts_among_the_references() -> None:
    found = percentile_among(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0.5, 2.0, 2.5, 9.0]))
    np.testing.assert_allclose(found, [0, 20, 60, 80])


def test_patients_like_the_references_rarely_stand_high() -> None:
    random = np.random.default_rng(0)
    references = np.sort(random.standard_normal((2000, 19)), axis=1)
    values = random.standard_normal(2000)
    found = [percentile_among(own, values[[row]])[0] for row, own in enumerate(references)]
    assert np.mean(np.array(found) >= 95) == pytest.approx(0.05, abs=0.015)


def test_without_references_nothing_is_known() -> None:
    assert np.isnan(percentile_among(np.empty(0), np.ones(3))).all()
