import numpy as np
import pytest

from tcga_coherent.measures.feature_correlation import (
    feature_correlations,
    resampled_correlations,
)

RNG = np.random.default_rng(0)
TRUTH = RNG.standard_normal((40, 6)) + 100
PREDICTION = 0.5 * TRUTH + RNG.standard_normal((40, 6))


def test_correlations_equal_numpys_of_each_feature() -> None:
    expected = [np.corrcoef(TRUTH[:, j], PREDICTION[:, j])[0, 1] for j in range(6)]
    np.testing.assert_allclose(feature_correlations(TRUTH, PREDICTION), expected)
    np.testing.assert_allclose(feature_correlations(TRUTH, -PREDICTION), np.negative(expected))


def test_a_resample_is_the_correlation_of_the_patients_drawn() -> None:
    counts = RNG.multinomial(40, np.full(40, 1 / 40), size=250)
    found = np.concatenate(list(resampled_correlations(TRUTH, PREDICTION, counts)))
    assert found.shape == (250, 6)
    for sample in (0, 99, 100, 249):
        drawn = np.repeat(np.arange(40), counts[sample])
        expected = [np.corrcoef(TRUTH[drawn, j], PREDICTION[drawn, j])[0, 1] for j in range(6)]
        np.testing.assert_allclose(found[sample], expected)


def test_what_is_constant_has_no_correlation_even_where_it_is_rounded() -> None:
    prediction = PREDICTION.copy()
    prediction[:, 1] = 3.0
    prediction[:, 2] = 3.0 + 1e-7 * RNG.standard_normal(40)
    truth = TRUTH.copy()
    truth[:, 4] = 1.0
    missing = np.isnan(feature_correlations(truth, prediction))
    np.testing.assert_array_equal(missing, [False, True, True, False, True, False])


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"truth is \(40, 6\), but the prediction is \(40, 5\)"):
        feature_correlations(TRUTH, PREDICTION[:, :5])
