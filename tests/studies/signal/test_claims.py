import numpy as np
import pandas as pd
import pytest

from tcga_coherent.studies.signal.claims import (
    ReportedClaim,
    SignalParameters,
    claim_lines,
    claims_table,
    holds,
)


@pytest.mark.parametrize(
    ("low", "high", "expectation", "answer"),
    [
        (0.01, 0.20, "higher", "yes"),
        (-0.01, 0.20, "higher", "undecided"),
        (-0.20, -0.01, "higher", "no"),
        (-0.20, -0.01, "lower", "yes"),
        (-0.20, 0.01, "lower", "undecided"),
        (0.01, 0.20, "lower", "no"),
        (-0.02, 0.02, "equal", "yes"),
        (-0.02, 0.04, "equal", "undecided"),
        (-0.20, 0.20, "equal", "undecided"),
        (0.04, 0.20, "equal", "no"),
        (-0.20, -0.04, "equal", "no"),
        (0.00, 0.00, "equal", "yes"),
        (0.00, 0.00, "higher", "no"),
        (0.00, 0.00, "lower", "no"),
    ],
)
def test_a_statement_holds_only_where_the_whole_interval_says_so(
    low, high, expectation, answer
) -> None:
    assert holds(low, high, expectation, margin=0.03) == answer


@pytest.fixture
def table() -> pd.DataFrame:
    """Copy numbers whose single draws score lower, and whose mean of draws scores higher."""
    rows = [
        ("real", "real", 0.50, np.nan),
        ("coherent", "draw", 0.40, -0.10),
        ("coherent", "mean_of_draws", 0.60, 0.10),
    ]
    return pd.DataFrame(
        [
            {
                "task": "cancer_type",
                "modality": "cna",
                "method": method,
                "input": kind,
                "balanced_accuracy_mean": score,
                "balanced_accuracy_difference_to_real_mean": difference,
                "balanced_accuracy_difference_to_real_std": 0.01,
                "balanced_accuracy_difference_to_real_low": difference - 0.05,
                "balanced_accuracy_difference_to_real_high": difference + 0.05,
                "n_patients": 100,
                "note": "",
            }
            for method, kind, score, difference in rows
        ]
    )


def parameters(**changes) -> SignalParameters:
    claim = {
        "task": "cancer_type",
        "modality": "cna",
        "method": "coherent",
        "metric": "balanced_accuracy",
        "expectation": "higher",
        "paper_real": 0.565,
        "paper_generated": 0.717,
    }
    return SignalParameters(0.03, (ReportedClaim(**(claim | changes)),))


def test_single_draws_and_their_mean_are_judged_apart(table) -> None:
    claims = claims_table(table, parameters()).set_index("input")
    assert dict(claims["holds"]) == {"draw": "no", "mean_of_draws": "yes"}
    assert claims.loc["draw", ["real", "generated", "difference"]].tolist() == [0.5, 0.4, -0.1]
    assert (claims["paper_generated"] == 0.717).all()
    line = claim_lines(claims.reset_index())[0]
    assert "here (draw): no, balanced_accuracy 0.500 to 0.400, difference -0.100" in line


def test_a_statement_on_an_absent_modality_is_answered_with_the_reason(table) -> None:
    claims = claims_table(table, parameters(modality="wsi"))
    assert set(claims["note"]) == {"the cohort has no such modality"}
    assert set(claims["holds"]) == {""}
    assert claim_lines(claims) == []


def test_a_statement_on_a_skipped_task_has_the_tasks_reason(table) -> None:
    skipped = table.iloc[[0]].assign(note="no test patient has a cancer type")
    claims = claims_table(skipped, parameters())
    assert set(claims["note"]) == {"no test patient has a cancer type"}


def test_an_expectation_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'equal', 'higher' or 'lower'"):
        parameters(expectation="better")
