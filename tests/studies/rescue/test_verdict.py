import pandas as pd
import pytest

from tcga_coherent.studies.rescue.experiment import Cell
from tcga_coherent.studies.rescue.scores import FULL
from tcga_coherent.studies.rescue.verdict import BEST_SIMPLE, rescue_lines, rescue_verdict
from tests.studies.rescue.made_up_rescue import (
    COST,
    FULL_SCORE,
    made_up_scores,
    made_up_tasks,
    score,
)

ASKED = ["task", "removed", "method", "pooling", "against"]
ABLATION = Cell("rnaseq", "ablation", "point")
COHERENT = Cell("rnaseq", "coherent", "draw")


def verdict_of(scores=None, reasons=None) -> pd.DataFrame:
    return rescue_verdict(scores or made_up_scores(), made_up_tasks(reasons), 0.95)


@pytest.mark.parametrize(
    ("method", "pooling", "against", "difference", "verdict"),
    [
        ("real", "point", "ablation", COST, "yes"),
        ("knn", "point", "ablation", 0.5 * COST, "yes"),
        ("coherent", "draw", "ablation", COST, "yes"),
        ("coherent", "multiple", BEST_SIMPLE, 0.5 * COST, "yes"),
        ("multi", "draw", "modality_dropout", 0.65 * COST, "yes"),
        ("coherent", "draw", "multi", 0.25 * COST, "yes"),
    ],
)
def test_each_pattern_is_judged_by_its_paired_difference(
    method, pooling, against, difference, verdict
) -> None:
    table = verdict_of().set_index(ASKED)
    row = table.loc[("stage", "rnaseq", method, pooling, against)]
    assert row["difference_mean"] == pytest.approx(difference)
    assert row["verdict"] == verdict
    if against == BEST_SIMPLE:
        assert row["against_method"] == "knn"


def test_where_nothing_is_lost_nothing_is_gained() -> None:
    table = verdict_of()
    kept = table[table["removed"] == "cna+rppa"]
    assert (kept["verdict"] == "no").all()


@pytest.mark.parametrize(
    ("std", "half_width", "over_repeats", "over_patients", "verdict"),
    [
        (0.05, 0.05, "yes", "yes", "yes"),
        (0.15, 0.05, "no", "yes", "undecided"),
        (0.05, 0.15, "yes", "no", "undecided"),
        (0.15, 0.15, "no", "no", "undecided"),
    ],
)
def test_a_verdict_needs_both_kinds_of_spread(
    std, half_width, over_repeats, over_patients, verdict
) -> None:
    scores = made_up_scores()
    scores["stage"]["macro_f1"][COHERENT] = score(FULL_SCORE - COST + 0.1, std, half_width)
    row = verdict_of(scores).set_index(ASKED).loc[("stage", *COHERENT, "ablation")]
    assert row["more_than_spread_of_repeats"] == over_repeats
    assert row["interval_of_patients_above_zero"] == over_patients
    assert row["verdict"] == verdict


def test_full_data_are_held_against_the_cancer_type_once() -> None:
    table = verdict_of()
    rows = table[table["against"] == "cancer_type"]
    assert list(rows["task"]) == ["stage", "survival"]
    assert rows["difference_mean"].to_numpy() == pytest.approx([0.1, 0.1])
    assert set(rows["removed"]) == {FULL.removed}


def test_the_summary_counts_patterns_and_names_those_without_gain() -> None:
    scores = made_up_scores()
    cells = scores["stage"]["macro_f1"]
    # Losing expression and protein costs more than the spread over repeats, not over patients.
    cells[ABLATION._replace(removed="rnaseq+rppa")] = score(FULL_SCORE - COST, 0.1, 0.3)
    cells[COHERENT] = score(FULL_SCORE - COST - 0.01)
    lines = rescue_lines(verdict_of(scores), "draw")
    assert lines[0] == (
        "stage: leaving modalities missing costs more than its spread over repeats in 3 of 6 "
        "patterns (in 2 also by the interval over patients)"
    )
    assert lines[2] == (
        "stage: there, coherent (draw) gains in 2 of 3 patterns, in 2 more than its spread over "
        "repeats, in 1 also by the interval over patients; it is above the best simple imputation "
        "in 2, by both spreads in 2; no gain where rnaseq is missing"
    )
    assert lines[4] == (
        "stage: mean of all patterns, coherent (draw) against knn: +0.100, interval over patients "
        "+0.100 to +0.100"
    )
    assert lines[5].startswith("stage: do complete data tell more than the cancer type alone? yes")
    # The poolings are judged apart.
    assert "gains in 3 of 3" in rescue_lines(verdict_of(scores), "mean_of_draws")[2]


def test_a_skipped_task_is_named_with_its_reason() -> None:
    reason = "all 4 test patients are censored"
    table = verdict_of(made_up_scores(("stage",)), {"survival": reason})
    assert list(table.loc[table["task"] == "survival", "note"]) == [reason]
    lines = rescue_lines(table, "draw")
    assert lines[-1] == f"survival: skipped, as {reason}"
    assert sum(line.startswith("stage") for line in lines) == 6
