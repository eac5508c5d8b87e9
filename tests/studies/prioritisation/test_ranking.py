import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.studies.prioritisation.ranking import COLUMNS, KEYS, ranking_table
from tests.studies.prioritisation.made_up_priorities import need_half, predict_all

TASKS = chosen(["stage", "survival"])


@pytest.fixture(scope="module")
def made():
    inputs, _, clinical = need_half(n_train=200, n_test=60)
    repeats = predict_all(inputs)
    return (
        inputs,
        repeats,
        ranking_table(repeats, TASKS, pd.Series("LUAD", index=clinical.index), ["rnaseq"]),
    )


def test_every_patient_has_a_rank_for_each_task(made) -> None:
    inputs, _, table = made
    assert list(table) == [*KEYS, "predicted_stage", *COLUMNS]
    for _, rows in table.groupby("task"):
        assert list(rows["rank"]) == list(range(1, 61))
        assert set(rows["patient_id"]) == set(inputs.patients)
        assert rows["score"].is_monotonic_decreasing
        assert sorted(rows["rank_by_expected_gain"]) == list(range(1, 61))
    assert (table["cancer_type"] == "LUAD").all()


def test_those_who_need_the_modality_come_first(made) -> None:
    inputs, _, table = made
    needs = pd.Series(inputs.real["cna"][:, 0] > 0, index=inputs.patients)
    for _, rows in table.groupby("task"):
        first = rows["patient_id"].iloc[:20]
        assert needs[first].mean() > 0.9


def test_what_a_clinic_reads_is_the_mean_over_the_repeats(made) -> None:
    _, repeats, table = made
    row = table[table["task"] == "stage"].iloc[0]
    of_patient = repeats[
        (repeats["task"] == "stage") & (repeats["patient_id"] == row["patient_id"])
    ]
    likely = of_patient[["missing/I", "missing/III"]].mean()
    assert row["probability"] == pytest.approx(likely.max(), abs=1e-3)
    assert row["predicted_stage"] == likely.idxmax().removeprefix("missing/")
    assert row["score"] == pytest.approx(of_patient["score/coherent/missing"].mean())
    assert row["score_std"] == pytest.approx(of_patient["score/coherent/missing"].std())
    assert row["expected_change"] == pytest.approx(of_patient["change"].mean(), abs=1e-4)
    assert row["change_probability"] == pytest.approx(
        of_patient["change_probability"].mean(), abs=1e-3
    )


def test_risks_stand_beside_those_of_the_others(made) -> None:
    _, _, table = made
    survival = table[table["task"] == "survival"]
    assert survival[["predicted_stage", "probability", "change_probability"]].isna().all(axis=None)
    ordered = survival.sort_values("predicted_risk")
    assert ordered["risk_percentile"].is_monotonic_increasing
    assert ordered["risk_percentile"].iloc[0] == 0
    assert ordered["risk_percentile"].iloc[-1] == 98


def test_reasons_are_rows_without_patients(made) -> None:
    _, repeats, _ = made
    note = {"task": "stage", "modality": "wsi", "patient_id": "", "note": "no wsi", "repeat": 0}
    both = pd.concat([repeats, pd.DataFrame([note])], ignore_index=True)
    table = ranking_table(
        both, TASKS, pd.Series("LUAD", index=np.unique(both["patient_id"])), ["wsi", "rnaseq"]
    )
    assert table.iloc[-1]["note"] == "no wsi"
    assert pd.isna(table.iloc[-1]["patient_id"])
    assert len(table) == 121
