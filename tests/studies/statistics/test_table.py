from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tcga_coherent.measures.score import Score
from tcga_coherent.measures.statistical_tests import Comparison
from tcga_coherent.studies.statistics.table import (
    COLUMNS,
    statistics_lines,
    statistics_table,
)

pytestmark = pytest.mark.filterwarnings("error")


def comparison(condition: str, shifts: dict[str, float], seed: int, **changes) -> Comparison:
    """Scores that differ by shifts; seeds scatter little, patients much."""
    rng = np.random.default_rng(seed)
    settings = {
        "by_repeat": {
            name: 0.5 + shift + 0.001 * rng.standard_normal(10) for name, shift in shifts.items()
        },
        "by_sample": {
            name: 0.5 + shift + 0.1 * rng.standard_normal(500) for name, shift in shifts.items()
        },
    } | changes
    by_repeat, by_sample = settings["by_repeat"], settings["by_sample"]
    scores = {name: Score(by_repeat[name], by_sample[name]) for name in by_repeat}
    return Comparison("signal", condition, "macro_f1", scores, 80)


@pytest.fixture
def table() -> pd.DataFrame:
    shifts = {"real": 0.0, "multi": 0.02, "coherent": -0.3}
    return statistics_table([comparison("a", shifts, 0), comparison("b", shifts, 1)], level=0.95)


def rows(table: pd.DataFrame, **wanted) -> pd.DataFrame:
    return table[np.logical_and.reduce([table[name] == value for name, value in wanted.items()])]


def test_a_difference_is_treatment_less_reference(table) -> None:
    for unit in ("repeats", "patients"):
        found = rows(table, unit=unit, condition="a", treatment="coherent", reference="real")
        assert found["difference_mean"].item() == pytest.approx(-0.3, abs=0.002)
        assert found["difference_std"].item() == pytest.approx(0.001 * np.sqrt(2), rel=0.6)
    assert found["difference_high"].item() < 0
    assert found["share_above_zero"].item() < 0.05


def test_seeds_may_agree_where_patients_do_not(table) -> None:
    # A small difference is the same in every seed, and that of other patients is not known.
    pair = {"condition": "a", "treatment": "multi", "reference": "real"}
    assert rows(table, unit="repeats", **pair)["p_bonferroni"].item() < 1e-6
    over_patients = rows(table, unit="patients", **pair)
    assert over_patients["difference_low"].item() < 0 < over_patients["difference_high"].item()
    assert over_patients["p"].isna().all()


def test_p_values_are_corrected_for_all_tests_of_their_kind(table) -> None:
    tests = rows(table, test="paired_t")
    assert list(tests["n_tests"]) == [6] * 6
    p = tests["p"].to_numpy()
    np.testing.assert_allclose(tests["p_bonferroni"], np.minimum(6 * p, 1))
    order = np.argsort(p)
    by_hand = np.empty(6)
    by_hand[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(6, 0, -1)), 1)
    np.testing.assert_allclose(tests["p_holm"], by_hand)
    anova = rows(table, test="anova")
    assert list(anova["n_tests"]) == [2, 2]
    np.testing.assert_allclose(anova["p_bonferroni"], 2 * anova["p"])


def test_all_metrics_of_a_study_are_one_family_and_means_of_patterns_another() -> None:
    shifts = {"ablation": 0.0, "coherent": 0.001}
    names = [
        ("stage without cna", "macro_f1"),
        ("stage without rppa", "macro_f1"),
        ("survival without cna", "c_index"),
        ("stage without mean of patterns", "macro_f1"),
        ("survival without mean of patterns", "c_index"),
    ]
    made = [
        replace(comparison(condition, shifts, seed), study="rescue", metric=metric)
        for seed, (condition, metric) in enumerate(names)
    ]
    tests = rows(statistics_table(made, 0.95), test="paired_t")
    assert list(tests["n_tests"]) == [3, 3, 3, 2, 2]
    np.testing.assert_allclose(tests["p_bonferroni"], np.minimum(tests["p"] * [3, 3, 3, 2, 2], 1))


def test_p_values_of_random_scores_are_those_of_scipy() -> None:
    one = comparison("a", {"real": 0.0, "multi": 0.0}, 3)
    found = rows(statistics_table([one], 0.95), test="paired_t")
    expected = stats.ttest_rel(one.scores["multi"].by_repeat, one.scores["real"].by_repeat)
    assert found["statistic"].item() == pytest.approx(expected.statistic)
    assert found["p"].item() == found["p_holm"].item() == pytest.approx(expected.pvalue)


def test_other_studies_and_degenerate_tests_are_not_counted() -> None:
    constant = {name: np.full(10, 0.4) for name in ("real", "multi", "coherent")}
    table = statistics_table(
        [
            comparison("a", {"real": 0.0, "multi": 0.0}, 0),
            comparison("b", {}, 0, by_repeat=constant, by_sample=constant),
            Comparison(
                "rescue",
                "c",
                "macro_f1",
                {
                    name: Score(values, values)
                    for name, values in (("real", np.arange(3.0)), ("x", np.eye(3)[0]))
                },
            ),
        ],
        level=0.95,
    )
    degenerate = rows(table, condition="b", unit="repeats")
    assert (degenerate["note"] != "").all()
    assert degenerate[["p", "p_holm", "n_tests", "statistic"]].isna().all(axis=None)
    assert (degenerate["difference_mean"].dropna() == 0).all()
    assert rows(table, condition="a", test="paired_t")["n_tests"].item() == 1
    assert rows(table, condition="c", test="paired_t")["n_tests"].item() == 1


def test_scores_that_no_repeat_changes_are_compared_over_patients_alone() -> None:
    one = comparison(
        "a",
        {"ridge_features": 0.0, "multi": 0.4},
        0,
        by_repeat={"ridge_features": np.array([0.5]), "multi": np.array([0.9])},
    )
    table = statistics_table([one], 0.95)
    assert list(table["unit"]) == ["patients"]
    assert table["difference_mean"].item() == pytest.approx(0.4)
    assert table["difference_std"].isna().all()


def test_what_was_skipped_has_a_row_with_its_reason() -> None:
    skipped = Comparison("signal", "stage from cna", "macro_f1", note="no stages")
    table = statistics_table([skipped], 0.95)
    assert list(table.columns) == COLUMNS
    assert table.loc[0, ["condition", "unit", "note"]].tolist() == [
        "stage from cna",
        "",
        "no stages",
    ]
    assert statistics_lines(table) == ["signal, macro_f1: no comparison, no stages"]


def test_intervals_of_another_table_are_taken_over() -> None:
    ready = {"study": "acquisition", "condition": "x", "metric": "area", "treatment": "multi",
             "reference": "random", "difference_mean": 0.2, "difference_low": 0.1,
             "difference_high": 0.3, "n_patients": 5}  # fmt: skip
    heights = {"random": np.arange(4.0), "multi": np.array([1.0, 3.0, 3.0, 5.0])}
    scores = {name: Score(values, np.empty(0)) for name, values in heights.items()}
    one = Comparison("acquisition", "x", "area", scores)
    table = statistics_table([one], 0.95, [ready])
    assert list(table["test"]) == ["anova", "paired_t", "bootstrap"]
    assert table["difference_high"].iloc[-1] == 0.3


def test_lines_tell_seeds_and_patients_apart(table) -> None:
    assert statistics_lines(table) == [
        "signal, macro_f1: of 6 differences 4 have an interval over patients without zero; over seeds "
        "alone, 6 have p < 0.05 (Holm)"
    ]
