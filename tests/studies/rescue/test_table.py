import numpy as np
import pandas as pd
import pytest

from tcga_coherent.datasets.atomic import AtomicCSVDataset
from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.reported import ReportedRescue
from tcga_coherent.studies.rescue.experiment import Cell
from tcga_coherent.studies.rescue.scores import FULL
from tcga_coherent.studies.rescue.table import KEY, headline_rows, held_out_losses, rescue_table
from tests.studies.rescue.made_up_rescue import (
    COST,
    FULL_SCORE,
    RECOVERED,
    made_up_scores,
    made_up_tasks,
    score,
)

NAMES = [name for name in ReportedRescue.__annotations__ if name != "removed"]
# The values are numbered in the order of the fields.
REPORTED = (ReportedRescue("rnaseq+rppa", **{name: float(i) for i, name in enumerate(NAMES)}),)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    table = rescue_table(made_up_scores(), made_up_tasks(), REPORTED, 0.95)
    return table.set_index(KEY).sort_index()


@pytest.mark.parametrize(
    ("task", "metric"),
    [(task, metric) for task in ("stage", "survival") for metric in TASKS[task].metrics],
)
def test_drop_gain_and_share_are_signed_so_that_more_is_better(table, task, metric) -> None:
    rows = table.loc[(task, metric, "rnaseq")]
    ablation = rows.loc[("ablation", "point")]
    assert ablation["drop_from_full_mean"] == pytest.approx(-COST)
    assert np.isnan(ablation["gain_over_ablation_mean"])
    for method, share in RECOVERED.items():
        for _, row in rows.loc[method].iterrows():
            assert row["drop_from_full_mean"] == pytest.approx((share - 1) * COST)
            assert row["gain_over_ablation_mean"] == pytest.approx(share * COST)
            assert row["share_of_drop_recovered_mean"] == pytest.approx(share)
            assert row["share_of_drop_recovered_low"] == pytest.approx(share)


def test_full_data_have_a_score_alone_and_the_cancer_type_no_gain(table) -> None:
    full = table.loc[("stage", "macro_f1", *FULL)]
    assert full["score_mean"] == pytest.approx(FULL_SCORE)
    assert full.drop(["n_patients", "note"]).notna().sum() == 4
    alone = table.loc[("stage", "macro_f1", "all", "cancer_type", "point")]
    assert alone["drop_from_full_mean"] == pytest.approx(-0.1)
    assert np.isnan(alone["gain_over_ablation_mean"])


def test_what_completing_costs_is_read_from_the_file_of_the_table(tmp_path) -> None:
    """Pooled predictions of each pattern, and complete patients by either method; nothing of a task without scores."""
    tasks = made_up_tasks({"survival": "everybody is alive"})
    table = headline_rows(rescue_table(made_up_scores(("stage",)), tasks, (), 0.95))
    file = AtomicCSVDataset(filepath=str(tmp_path / "table2.csv"), save_args={"index": False})
    file.save(table)
    losses = held_out_losses(file.load(), "stage")
    lost = losses["multi/cna+rnaseq"]
    assert lost["metric"] == "macro_f1"
    assert lost["held_out_complete"] == pytest.approx(FULL_SCORE)
    change = (RECOVERED["multi"] - 1) * COST
    assert lost["held_out_score"] == pytest.approx(FULL_SCORE + change)
    parts = ("change", "change_low", "change_high")
    np.testing.assert_allclose([lost[f"held_out_{part}"] for part in parts], change)
    assert lost["held_out_patients"] == 4
    for method in ("coherent", "multi"):
        whole = losses[f"{method}/none"]
        assert whole["held_out_score"] == whole["held_out_complete"] == pytest.approx(FULL_SCORE)
        assert [whole[f"held_out_{part}"] for part in parts] == [0, 0, 0]
    assert held_out_losses(file.load(), "survival") == {}


def test_of_poolings_that_of_predictions_is_what_new_patients_get() -> None:
    scores = made_up_scores()
    scores["stage"]["macro_f1"][Cell("cna", "coherent", "multiple")] = score(0.5)
    table = headline_rows(rescue_table(scores, made_up_tasks(), (), 0.95))
    assert held_out_losses(table, "stage")["coherent/cna"]["held_out_score"] == pytest.approx(0.5)


def test_nothing_is_recovered_where_nothing_is_lost(table) -> None:
    row = table.loc[("survival", "c_index", "cna", "coherent", "draw")]
    assert row["gain_over_ablation_mean"] == pytest.approx(0)
    assert np.isnan(row["share_of_drop_recovered_mean"])


def test_a_share_has_no_interval_where_some_samples_lose_nothing() -> None:
    scores = made_up_scores()
    cells = scores["stage"]["macro_f1"]
    ablation, completed = Cell("cna", "ablation", "point"), Cell("cna", "knn", "point")
    cells[ablation] = score(FULL_SCORE - 0.1, std=0.04, half_width=0.2)
    cells[completed] = score(FULL_SCORE - 0.05)
    row = (
        rescue_table(scores, made_up_tasks(), (), 0.95)
        .set_index(KEY)
        .loc[("stage", "macro_f1", *completed)]
    )
    assert row["share_of_drop_recovered_mean"] == pytest.approx(0.5)
    # Gains of .01, .05 and .09 of losses of .06, .1 and .14.
    shares = [0.09 / 0.14, 0.05 / 0.1, 0.01 / 0.06]
    assert row["share_of_drop_recovered_std"] == pytest.approx(np.std(shares, ddof=1))
    assert row[["share_of_drop_recovered_low", "share_of_drop_recovered_high"]].isna().all()
    assert row["gain_over_ablation_low"] == pytest.approx(0.05 - 0.95 * 0.2)
    assert row["gain_over_ablation_high"] == pytest.approx(0.05 + 0.95 * 0.2)


def test_what_the_paper_reports_stands_beside_single_draws_of_the_headline(table) -> None:
    rows = table[table["paper_drop_from_full_mean"].notna()]
    assert set(rows.index) == {
        ("stage", "macro_f1", "rnaseq+rppa", "ablation", "point"),
        ("survival", "c_index", "rnaseq+rppa", "ablation", "point"),
    }
    stage = table.loc[("stage", "macro_f1", "rnaseq+rppa")]
    survival = table.loc[("survival", "c_index", "rnaseq+rppa")]
    columns = [f"paper_{name}_{part}" for name in ("drop_from_full",) for part in ("mean", "std")]
    assert list(stage.loc[("ablation", "point"), columns]) == [0, 1]
    assert list(survival.loc[("ablation", "point"), columns]) == [6, 7]
    columns = ["paper_gain_over_ablation_mean", "paper_gain_over_ablation_std"]
    assert list(stage.loc[("multi", "draw"), columns]) == [2, 3]
    assert list(survival.loc[("coherent", "draw"), columns]) == [10, 11]
    assert table["paper_gain_over_ablation_mean"].notna().sum() == 4


def test_a_skipped_task_is_one_row_with_its_reason() -> None:
    tasks = made_up_tasks({"stage": "no training patient has a stage"})
    table = rescue_table(made_up_scores(("survival",)), tasks, REPORTED, 0.95)
    row = table[table["task"] == "stage"]
    assert list(row["note"]) == ["no training patient has a stage"]
    assert list(row["n_patients"]) == [0]
    assert row["score_mean"].isna().all()
    assert (table.loc[table["task"] == "survival", "note"] == "").all()
    assert (table.loc[table["task"] == "survival", "n_patients"] == 4).all()
    assert set(headline_rows(table)["metric"]) == {"macro_f1", "c_index"}
