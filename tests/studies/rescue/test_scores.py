from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score
from sksurv.metrics import concordance_index_censored

from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.measures.score import Score
from tcga_coherent.studies.rescue.experiment import Cell, predict_repeat
from tcga_coherent.studies.rescue.scores import (
    FULL,
    MEAN_OF_PATTERNS,
    gain,
    rescue_scores_by_repeat,
    score_rescue,
)
from tests.studies.rescue.rescue_cohort import FORESTS, rescue_cohort, rescue_study_of

COHORT, CLINICAL, PROFILES = rescue_cohort()
BOOTSTRAP = BootstrapParameters(repeats=50, level=0.9)
ABLATED = Cell("cna", "ablation", "point")


@pytest.fixture(scope="module")
def study():
    study = rescue_study_of(COHORT, CLINICAL, PROFILES, n_draws=2, n_repeats=3)
    return replace(study, forests=replace(FORESTS, n_trees=10))


@pytest.fixture(scope="module")
def predictions(study) -> pd.DataFrame:
    repeats = [predict_repeat(repeat, study).assign(repeat=repeat) for repeat in range(3)]
    return pd.concat(repeats, ignore_index=True)


@pytest.fixture(scope="module")
def scores(predictions, study):
    return score_rescue(predictions, study.tasks, BOOTSTRAP, seed=0)


def _of_repeat(predictions: pd.DataFrame, task: str, cell: Cell, repeat: int) -> pd.DataFrame:
    key = ["task", *Cell._fields]
    chosen = (predictions[key] == [task, *cell]).all(axis=1) & (predictions["repeat"] == repeat)
    return predictions[chosen].set_index("patient_id")


@pytest.mark.parametrize("cell", [FULL, ABLATED])
def test_scores_of_repeats_are_those_of_scikit(cell, predictions, scores) -> None:
    for repeat in range(3):
        own = _of_repeat(predictions, "stage", cell, repeat)
        truth, predicted = CLINICAL.loc[own.index, "stage"], own["predicted"].astype(str)
        for metric, expected in (
            ("macro_f1", f1_score(truth, predicted, average="macro")),
            ("balanced_accuracy", balanced_accuracy_score(truth, predicted)),
        ):
            found = scores["stage"][metric][cell].by_repeat[repeat]
            assert found == pytest.approx(expected), metric
        own = _of_repeat(predictions, "survival", cell, repeat)
        outcome = CLINICAL.loc[own.index]
        expected = concordance_index_censored(
            outcome["os_event"] == 1, outcome["os_days"], own["risk"]
        )[0]
        assert scores["survival"]["c_index"][cell].by_repeat[repeat] == pytest.approx(expected)
        brier = scores["survival"]["integrated_brier"][cell].by_repeat[repeat]
        assert brier == pytest.approx(own["integrated_brier"].mean())


def test_a_bootstrap_sample_scores_its_patients_averaged_over_repeats(predictions, scores) -> None:
    patients = COHORT.test
    drawn = np.repeat(patients, resample_patients(len(patients), 50, seed=0)[7])
    outcome = CLINICAL.loc[drawn]
    f1, c_index, brier = [], [], []
    for repeat in range(3):
        stage = _of_repeat(predictions, "stage", FULL, repeat).loc[drawn, "predicted"].astype(str)
        f1.append(f1_score(outcome["stage"], stage, average="macro"))
        survival = _of_repeat(predictions, "survival", FULL, repeat).loc[drawn]
        risk = survival["risk"].to_numpy()
        c_index.append(
            concordance_index_censored(outcome["os_event"] == 1, outcome["os_days"], risk)[0]
        )
        brier.append(survival["integrated_brier"].mean())
    assert scores["stage"]["macro_f1"][FULL].by_sample[7] == pytest.approx(np.mean(f1))
    assert scores["survival"]["c_index"][FULL].by_sample[7] == pytest.approx(np.mean(c_index))
    found = scores["survival"]["integrated_brier"][FULL].by_sample[7]
    assert found == pytest.approx(np.mean(brier))


@pytest.mark.parametrize(
    ("task", "metric"),
    [(task, metric) for task in ("stage", "survival") for metric in TASKS[task].metrics],
)
def test_every_metric_says_that_removal_costs_and_completion_gains(task, metric, scores) -> None:
    cells = scores[task][metric]
    completed = Cell("cna", "coherent", "mean_of_draws")
    assert gain(cells[ABLATED], cells[FULL], metric).mean < 0
    assert gain(cells[completed], cells[ABLATED], metric).mean > 0
    without_both = Cell("cna+rnaseq", "ablation", "point")
    assert gain(cells[without_both], cells[ABLATED], metric).mean < 0


def test_the_mean_of_patterns_is_that_of_its_cells(scores) -> None:
    cells = scores["stage"]["macro_f1"]
    mean = cells[Cell(MEAN_OF_PATTERNS, "knn", "point")]
    members = [
        score
        for cell, score in cells.items()
        if cell.method == "knn" and cell.removed != MEAN_OF_PATTERNS
    ]
    assert len(members) == 6
    np.testing.assert_allclose(mean.by_repeat, np.mean([s.by_repeat for s in members], axis=0))
    np.testing.assert_allclose(mean.by_sample, np.mean([s.by_sample for s in members], axis=0))
    # What was not removed is part of no mean.
    assert Cell(MEAN_OF_PATTERNS, "real", "point") not in cells


def test_a_difference_is_paired() -> None:
    easy = Score(np.array([0.5, 0.7]), np.array([0.1, 0.9, 0.5]))
    same = Score(easy.by_repeat + 0.1, easy.by_sample + 0.1)
    difference = gain(same, easy, "c_index")
    assert difference.mean == pytest.approx(0.1)
    assert difference.std == pytest.approx(0, abs=1e-12)
    assert difference.interval(0.9) == pytest.approx((0.1, 0.1))
    assert gain(same, easy, "integrated_brier").mean == pytest.approx(-0.1)


def test_an_interval_holds_its_share_and_leaves_out_what_is_not_defined() -> None:
    score = Score(np.zeros(2), np.array([np.nan, *np.linspace(0, 1, 101)]))
    assert score.interval(0.8) == pytest.approx((0.1, 0.9))
    assert np.isnan(Score(np.zeros(2), np.array([np.nan])).interval(0.8)).all()


def test_scores_by_repeat_are_tidy(scores) -> None:
    table = rescue_scores_by_repeat(scores)
    assert list(table) == ["task", "metric", "removed", "method", "pooling", "repeat", "value"]
    assert not table.duplicated(list(table)[:-1]).any()
    own = table[
        (table["metric"] == "c_index")
        & (table["removed"] == "cna")
        & (table["method"] == "ablation")
    ]
    assert list(own["repeat"]) == [0, 1, 2]
    np.testing.assert_array_equal(own["value"], scores["survival"]["c_index"][ABLATED].by_repeat)
    assert MEAN_OF_PATTERNS not in set(table["removed"])
