import numpy as np
import pytest
from sklearn.metrics import r2_score

from tcga_coherent.measures.fidelity import (
    cosine,
    cosine_by_patient,
    cosine_of_draws,
    mse,
    mse_of_draws,
    r2,
    r2_of_draws,
    r2_of_parts,
    r2_variance_weighted,
    variance_percent,
)

RNG = np.random.default_rng(0)
# Dimensions with means of their own: there the two definitions of R2 part.
TRUTH = RNG.standard_normal((50, 6)) + np.arange(6)
PREDICTION = TRUTH + 0.5 * RNG.standard_normal(TRUTH.shape)


def test_r2_of_a_constant_error_equals_the_closed_form() -> None:
    assert r2(TRUTH, TRUTH + 0.7) == pytest.approx(1 - 0.7**2 / TRUTH.var())


def test_r2_is_zero_for_the_grand_mean_and_one_for_the_truth() -> None:
    assert r2(TRUTH, np.full_like(TRUTH, TRUTH.mean())) == pytest.approx(0)
    assert r2(TRUTH, TRUTH) == 1


def test_r2_equals_scikit_learn_on_all_entries_at_once() -> None:
    assert r2(TRUTH, PREDICTION) == pytest.approx(r2_score(TRUTH.ravel(), PREDICTION.ravel()))


@pytest.mark.parametrize("rows", [1, 7, 50])
def test_r2_of_parts_is_that_of_the_whole(rows: int) -> None:
    # Far from zero and rising, so that the mean of the first part is not that of the others.
    truth = TRUTH + 1000 + np.arange(50)[:, np.newaxis]
    prediction = PREDICTION + 1000 + np.arange(50)[:, np.newaxis]
    parts = ((truth[i : i + rows], prediction[i : i + rows]) for i in range(0, 50, rows))
    assert r2_of_parts(parts) == pytest.approx(
        r2_score(truth.ravel(), prediction.ravel()), rel=1e-9
    )


def test_variance_weighted_r2_equals_scikit_learn_and_differs_from_r2() -> None:
    expected = r2_score(TRUTH, PREDICTION, multioutput="variance_weighted")
    assert r2_variance_weighted(TRUTH, PREDICTION) == pytest.approx(expected)
    assert r2(TRUTH, PREDICTION) > expected + 0.05


def test_r2_of_draws_scores_each_draw_by_itself() -> None:
    draws = np.stack([TRUTH, TRUTH + 1, PREDICTION])
    expected = [1, 1 - 1 / TRUTH.var(), r2(TRUTH, PREDICTION)]
    assert r2_of_draws(TRUTH, draws) == pytest.approx(expected)


def test_variance_percent_of_two_opposite_draws_equals_the_closed_form() -> None:
    # The sample variance of {m - a, m + a} is 2 a².
    draws = np.stack([PREDICTION - 0.3, PREDICTION + 0.3])
    assert variance_percent(TRUTH, draws) == pytest.approx(100 * 2 * 0.3**2 / TRUTH.var())


def test_variance_percent_of_the_true_conditional_is_what_its_mean_leaves_unexplained() -> None:
    rng = np.random.default_rng(1)
    mean = rng.standard_normal((4000, 5))
    truth = mean + 0.6 * rng.standard_normal(mean.shape)
    draws = mean + 0.6 * rng.standard_normal((8, *mean.shape))
    assert variance_percent(truth, draws) == pytest.approx(100 * (1 - r2(truth, mean)), rel=0.03)


def test_float32_matrices_are_summed_in_double_precision() -> None:
    truth = (1000 + RNG.standard_normal((2000, 32))).astype(np.float32)
    prediction = (truth + np.float32(0.5)).astype(np.float32)
    expected = r2_score(truth.astype(float).ravel(), prediction.astype(float).ravel())
    assert r2(truth, prediction) == pytest.approx(expected, abs=1e-6)


def test_a_constant_truth_is_refused() -> None:
    with pytest.raises(ValueError, match="All measured values are equal: R2 is not defined"):
        r2(np.ones((3, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="All measured values are equal: their variance is zero"):
        variance_percent(np.ones((3, 2)), np.zeros((2, 3, 2)))


def test_a_prediction_of_another_shape_is_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"truth is \(50, 6\), but the prediction is \(50, 5\)"):
        r2(TRUTH, PREDICTION[:, :5])


def test_draws_of_another_shape_are_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"got \(50, 6\) for a truth of \(50, 6\)"):
        variance_percent(TRUTH, PREDICTION)


def test_one_draw_has_no_spread() -> None:
    with pytest.raises(ValueError, match="at least two draws a patient, got one"):
        variance_percent(TRUTH, PREDICTION[None])


def test_mse_of_a_constant_error_is_its_square_and_of_draws_their_mean() -> None:
    assert mse(TRUTH, TRUTH - 0.7) == pytest.approx(0.49)
    assert mse_of_draws(TRUTH, np.stack([TRUTH, TRUTH + 2.0])) == pytest.approx(2.0)


def test_cosine_is_one_for_a_multiple_minus_one_for_the_opposite_and_zero_for_nothing() -> None:
    prediction = np.vstack([3 * TRUTH[:1], -0.1 * TRUTH[1:2], np.zeros((1, 6))])
    found = cosine_by_patient(TRUTH[:3], prediction)
    np.testing.assert_allclose(found, [1, -1, 0], atol=1e-12)
    assert cosine(TRUTH[:3], prediction) == pytest.approx(0, abs=1e-12)
    assert cosine(TRUTH[:1], prediction[:1]) == pytest.approx(1)
    assert cosine_of_draws(TRUTH, np.stack([TRUTH, -TRUTH, TRUTH])) == pytest.approx(1 / 3)


def test_measures_of_other_shapes_are_refused() -> None:
    for measure in (mse, cosine):
        with pytest.raises(ValueError, match=r"truth is \(50, 6\), but .* \(49, 6\)"):
            measure(TRUTH, TRUTH[1:])
