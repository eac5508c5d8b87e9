import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.outcomes import (
    CannotEvaluate,
    check_classes,
    check_survival,
    survival_outcomes,
)
from tcga_coherent.downstream.tasks import CLASS_TASKS


def outcomes(events: list[bool], days: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"event": events, "days": days})


def test_patients_without_a_stage_have_no_label(simulation) -> None:
    cohort = simulation.cohort
    clinical = pd.DataFrame({"stage": "II"}, index=cohort.cancer_type.index)
    clinical.iloc[:5, 0] = None
    labels = CLASS_TASKS["stage"].labels(cohort, clinical)
    assert len(labels) == len(clinical) - 5
    assert len(CLASS_TASKS["cancer_type"].labels(cohort, clinical)) == len(clinical)


@pytest.mark.parametrize(
    ("train", "test", "reason"),
    [
        ([], ["I", "II"], "no training patient has a stage"),
        (["I", "II"], [], "no test patient has a stage"),
        (["I", "II"], ["II", "II"], "all 2 test patients have the stage II"),
    ],
)
def test_stages_that_nothing_can_be_learned_from_are_refused(train, test, reason) -> None:
    with pytest.raises(CannotEvaluate, match=reason):
        check_classes("stage", pd.Series(train, dtype=str), pd.Series(test, dtype=str))


def test_survival_is_of_patients_with_an_event_and_follow_up() -> None:
    clinical = pd.DataFrame(
        {"os_event": [1, 0, None, 1, 0], "os_days": [10, 20, 30, 0, None]}, index=list("abcde")
    )
    found = survival_outcomes(clinical, pd.Index(list("bax")))
    assert found.to_dict("index") == {
        "b": {"event": False, "days": 20.0},
        "a": {"event": True, "days": 10.0},
    }


def test_an_infinite_survival_time_counts_as_unknown_and_is_said(caplog) -> None:
    clinical = pd.DataFrame(
        {"os_event": [1, 0, 1], "os_days": [10.0, np.inf, -np.inf]}, index=list("abc")
    )
    assert list(survival_outcomes(clinical, clinical.index).index) == ["a"]
    assert "survival of 2 patients counts as unknown: their time is infinite" in caplog.text


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (outcomes([], []), "the survival of no test patient is known"),
        (outcomes([False, False], [1, 2]), "all 2 test patients are censored"),
        (outcomes([False, True], [1, 2]), "no test patient outlives"),
    ],
)
def test_survival_that_nothing_can_be_compared_in_is_refused(test, reason) -> None:
    train = outcomes([True, False], [1, 2])
    check_survival(train, train)
    with pytest.raises(CannotEvaluate, match=reason):
        check_survival(train, test)


def test_a_training_split_in_which_all_are_censored_is_refused() -> None:
    with pytest.raises(CannotEvaluate, match="all 1 training patients are censored"):
        check_survival(outcomes([False], [3]), outcomes([True, False], [1, 2]))
