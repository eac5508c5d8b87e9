import numpy as np
import pytest
from scipy.stats import binom, norm

from tcga_coherent.measures.calibration import (
    central_coverage,
    coverage_by_patient,
    crps,
    energy_score,
    independent_sets,
    rank_shares,
    spread_and_error,
    spread_skill,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def exchangeable(n_draws: int, shape: tuple[int, int] = (400, 50)) -> tuple[np.ndarray, np.ndarray]:
    """Truth and draws from one skewed, heavy-tailed distribution."""
    values = np.exp(1.5 * rng().standard_normal((n_draws + 1, *shape)))
    return values[0], values[1:]


def test_each_half_of_antithetic_draws_is_as_calibrated_as_independent_draws() -> None:
    noise = rng().standard_normal((11, 500, 100))
    truth, draws = noise[0], np.concatenate([noise[1:], -noise[1:]])
    for half in independent_sets(draws, antithetic=True):
        assert len(half) == 10
        assert spread_skill(truth, half) == pytest.approx(1, abs=0.01)
    # Taken together their mean is exactly 0, so that they seem to spread too much.
    assert spread_skill(truth, draws) == pytest.approx(np.sqrt(21 / 20 * 20 / 19), abs=0.01)


def test_independent_draws_stay_one_set() -> None:
    draws = np.zeros((5, 2, 2))
    (all_of_them,) = independent_sets(draws, antithetic=False)
    assert all_of_them is draws


def test_an_odd_number_of_antithetic_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="5 antithetic draws are not pairs"):
        independent_sets(np.zeros((5, 2, 2)), antithetic=True)


def test_crps_equals_the_direct_double_sum() -> None:
    truth, draws = exchangeable(7, (5, 3))
    pairs = sum(np.abs(a - b) for a in draws for b in draws) / (2 * 7 * 6)
    assert crps(truth, draws) == pytest.approx(np.mean(np.abs(draws - truth).mean(0) - pairs))


def test_crps_of_gaussian_draws_approaches_the_closed_form() -> None:
    # Gneiting & Raftery (2007), equation 21.
    mean, sd = 0.4, 1.7
    truth = np.linspace(-3, 3, 7)[:, None]
    z = (truth - mean) / sd
    expected = sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    draws = mean + sd * rng().standard_normal((40_000, *truth.shape))
    assert crps(truth, draws) == pytest.approx(expected.mean(), rel=0.01)


@pytest.mark.parametrize("n_draws", [2, 5, 30])
def test_crps_does_not_depend_on_the_number_of_draws(n_draws: int) -> None:
    # Truth and draws standard normal: the expected score is 1 / sqrt(pi).
    values = rng().standard_normal((n_draws + 1, 500, 200))
    assert crps(values[0], values[1:]) == pytest.approx(1 / np.sqrt(np.pi), abs=0.005)


def test_energy_score_equals_the_direct_double_sum() -> None:
    truth, draws = exchangeable(6, (4, 3))
    expected = np.mean(
        [
            np.mean([np.linalg.norm(draw - y) for draw in own])
            - sum(np.linalg.norm(a - b) for a in own for b in own) / (2 * 6 * 5)
            for y, own in zip(truth, draws.swapaxes(0, 1), strict=True)
        ]
    )
    assert energy_score(truth, draws) == pytest.approx(expected)


def test_energy_score_of_one_dimension_is_the_crps() -> None:
    truth, draws = exchangeable(9, (20, 1))
    assert energy_score(truth, draws) == pytest.approx(crps(truth, draws))


def test_energy_score_notices_wrong_dependence_that_crps_cannot_see() -> None:
    shared = rng().standard_normal((21, 2000, 1)) * np.ones(8)
    truth, dependent = shared[0], shared[1:]
    independent = rng().permuted(dependent, axis=1)
    independent = np.stack([np.roll(independent[..., i], i, axis=1) for i in range(8)], axis=2)
    assert crps(truth, independent) == pytest.approx(crps(truth, dependent), rel=0.03)
    assert energy_score(truth, independent) > 1.05 * energy_score(truth, dependent)


@pytest.mark.parametrize("n_draws", [2, 3, 4, 10, 19, 20, 33])
@pytest.mark.parametrize("level", [0.25, 0.5, 0.9])
def test_exchangeable_draws_reach_the_stated_coverage(n_draws: int, level: float) -> None:
    coverage = central_coverage(*exchangeable(n_draws), level)
    assert coverage.observed == pytest.approx(coverage.nominal, abs=0.015)
    assert coverage.nominal == pytest.approx(min(level, (n_draws - 1) / (n_draws + 1)))


def test_coverage_counts_entries_inside_the_order_statistics() -> None:
    # Three draws 0, 1, 2: their range is the 50 % interval.
    draws = np.array([2.0, 0.0, 1.0])[:, None, None] * np.ones((1, 4))
    truth = np.array([[-0.1, 0.0, 1.5, 2.1]])
    assert central_coverage(truth, draws, 0.5).observed == 0.5


def test_coverage_between_two_intervals_is_interpolated() -> None:
    # Five draws: ranges of 1/3 (1..3) and 2/3 (0..4); 50 % lies half-way.
    draws = np.arange(5.0)[:, None, None] * np.ones((1, 4))
    truth = np.array([[2.0, 0.5, 3.5, 9.0]])
    assert central_coverage(truth, draws, 0.5).observed == pytest.approx((1 / 4 + 3 / 4) / 2)


@pytest.mark.parametrize("level", [0.5, 0.9])
@pytest.mark.parametrize("n_draws", [5, 10, 40])
def test_draws_without_spread_cover_nothing(n_draws: int, level: float) -> None:
    truth, _ = exchangeable(2, (30, 4))
    draws = np.zeros((n_draws, *truth.shape))
    assert central_coverage(truth, draws, level).observed == 0


def test_a_level_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 90"):
        central_coverage(*exchangeable(3), 90)


@pytest.mark.parametrize("n_draws", [2, 5, 40])
def test_spread_matches_error_for_exchangeable_gaussian_draws(n_draws: int) -> None:
    values = rng().standard_normal((n_draws + 1, 500, 100))
    assert spread_skill(values[0], values[1:]) == pytest.approx(1, abs=0.01)


def test_half_the_spread_gives_the_closed_form_ratio() -> None:
    n_draws = 10
    values = rng().standard_normal((n_draws + 1, 500, 100))
    expected = np.sqrt((1 + 1 / n_draws) * 0.25 / (1 + 0.25 / n_draws))
    assert spread_skill(values[0], 0.5 * values[1:]) == pytest.approx(expected, abs=0.01)


def test_coverage_of_each_patient_counts_their_own_entries() -> None:
    # Three draws 0, 1, 2: their range is the 50 % interval.
    draws = np.array([2.0, 0.0, 1.0])[:, None, None] * np.ones((2, 4))
    truth = np.array([[-0.1, 0.5, 1.5, 2.1], [1.0, 1.0, 1.0, 9.0]])
    observed, nominal = coverage_by_patient(truth, draws, [0.5, 0.9])
    # No three draws reach 90 %: their range stands for itself.
    assert observed.tolist() == [[0.5, 0.5], [0.75, 0.75]]
    assert nominal.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("n_draws", [2, 7, 20])
def test_all_ranks_of_exchangeable_draws_are_equally_frequent(n_draws: int) -> None:
    shares = rank_shares(*exchangeable(n_draws))
    assert shares.shape == (400, n_draws + 1)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares.mean(axis=0) == pytest.approx(1 / (n_draws + 1), abs=0.01)


def test_ranks_count_the_draws_below_the_truth() -> None:
    draws = np.array([2.0, 0.0, 1.0])[:, None, None] * np.ones((1, 4))
    truth = np.array([[-0.1, 0.5, 0.6, 2.1]])
    assert rank_shares(truth, draws).tolist() == [[0.25, 0.5, 0, 0.25]]


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_ranks_of_draws_of_the_wrong_spread_follow_the_closed_form(spread: float) -> None:
    # Given y, the draws below it are binomial with the probability Phi(y / spread).
    n_draws = 9
    noise = rng().standard_normal((n_draws + 1, 2000, 50))
    shares = rank_shares(noise[0], spread * noise[1:]).mean(axis=0)
    y = np.linspace(-8, 8, 4001)
    expected = [
        np.trapezoid(norm.pdf(y) * binom.pmf(rank, n_draws, norm.cdf(y / spread)), y)
        for rank in range(n_draws + 1)
    ]
    assert shares == pytest.approx(np.array(expected), abs=0.005)
    u_shaped = shares[[0, -1]].min() > shares[4:6].max()
    assert u_shaped == (spread < 1)


def test_spread_and_error_of_each_patient_are_their_own() -> None:
    draws = np.array([[[0.0, 0.0], [1.0, 1.0]], [[2.0, 4.0], [1.0, 1.0]]])
    truth = np.array([[1.0, 5.0], [1.0, 3.0]])
    spread, error = spread_and_error(truth, draws)
    # Variances 2 and 8, times 3 / 2; errors of the means 0 and 3.
    assert spread.tolist() == [7.5, 0.0]
    assert error.tolist() == [4.5, 2.0]


def test_an_exact_mean_draw_has_no_error_to_compare_with() -> None:
    truth = np.zeros((2, 2))
    with pytest.raises(ValueError, match="The mean draw equals the truth everywhere"):
        spread_skill(truth, np.stack([truth - 1, truth + 1]))


@pytest.mark.parametrize("score", [crps, energy_score, spread_skill])
def test_scores_refuse_a_single_draw(score) -> None:
    truth, draws = exchangeable(2)
    with pytest.raises(ValueError, match="at least two draws"):
        score(truth, draws[:1])
