import numpy as np
import pytest
from scipy import stats

from tcga_coherent.measures.score import Score
from tcga_coherent.measures.statistical_tests import (
    Comparison,
    paired_t_test,
    repeated_measures_anova,
    share_above_zero,
)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def scores() -> dict[str, np.ndarray]:
    """Ten repeats, each of which raises or lowers all treatments alike."""
    rng = np.random.default_rng(0)
    repeat = rng.standard_normal(10)
    return {
        "a": 0.5 + 0.1 * repeat + 0.02 * rng.standard_normal(10),
        "b": 0.6 + 0.1 * repeat + 0.02 * rng.standard_normal(10),
        "c": 0.5 + 0.1 * repeat + 0.02 * rng.standard_normal(10),
    }


def test_the_f_of_two_treatments_is_the_square_of_their_paired_t(scores) -> None:
    anova = repeated_measures_anova({name: scores[name] for name in "ab"})
    t = paired_t_test(scores["b"], scores["a"])
    assert t["statistic"] > 0
    assert anova["statistic"] == pytest.approx(t["statistic"] ** 2)
    assert (anova["df"], anova["df_error"], t["df"]) == (1, 9, 9)
    assert anova["p"] == pytest.approx(t["p"])
    # The differences of two treatments are one: always equally spread.
    assert anova["p_greenhouse_geisser"] == pytest.approx(anova["p"])


def test_the_f_of_three_treatments_is_that_of_the_sums_of_squares(scores) -> None:
    table = np.column_stack(list(scores.values()))
    grand = table.mean()
    between = 10 * np.sum((table.mean(axis=0) - grand) ** 2)
    repeats = 3 * np.sum((table.mean(axis=1) - grand) ** 2)
    error = np.sum((table - grand) ** 2) - between - repeats
    f = (between / 2) / (error / 18)
    anova = repeated_measures_anova(scores)
    assert anova["statistic"] == pytest.approx(f)
    assert anova["p"] == pytest.approx(stats.f.sf(f, 2, 18))


def test_one_treatment_alone_that_varies_halves_the_degrees_of_freedom(scores) -> None:
    # The covariance has one entry, so its centred form has rank 1: epsilon is 1 / (k - 1).
    anova = repeated_measures_anova(
        {"a": scores["a"], "b": np.full(10, 0.4), "c": np.full(10, 0.3)}
    )
    expected = stats.f.sf(anova["statistic"], 1, 9)
    assert anova["p_greenhouse_geisser"] == pytest.approx(expected)
    assert anova["p"] < anova["p_greenhouse_geisser"]


def test_treatments_without_any_seed_have_no_f() -> None:
    constant = {"a": np.full(5, 0.4), "b": np.full(5, 0.3), "c": np.full(5, 0.1)}
    assert repeated_measures_anova(constant) == {
        "note": "the treatments differ by the same in every repeat: F is not defined"
    }


def test_the_same_scores_have_no_t(scores) -> None:
    assert paired_t_test(scores["a"], scores["a"].copy()) == {
        "note": "no difference in any repeat: t is not defined"
    }
    zeros = np.zeros(10)
    assert "no difference" in paired_t_test(zeros, zeros)["note"]


def test_a_difference_that_no_repeat_changes_has_no_t(scores) -> None:
    # 0.3 + x - x is not 0.3 in every repeat, but for rounding it is.
    assert paired_t_test(scores["a"] + 0.3, scores["a"]) == {
        "note": "the same difference in every repeat: t is not defined"
    }


def test_ties_count_half_and_undefined_samples_do_not() -> None:
    scores = np.array([1.0, 1.0, 0.0, 0.0, np.nan])
    reference = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    assert share_above_zero(scores - reference) == 0.5
    assert share_above_zero(reference + 2 - scores) == 1


def test_every_treatment_is_held_against_those_before_it() -> None:
    one = Score(np.zeros(1), np.zeros(3))
    comparison = Comparison("s", "c", "m", {"real": one, "multi": one, "coherent": one})
    assert comparison.pairs == [("multi", "real"), ("coherent", "real"), ("coherent", "multi")]
    assert comparison.n_repeats == 1
