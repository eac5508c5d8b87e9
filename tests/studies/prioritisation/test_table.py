from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from tcga_coherent.downstream.acquisition_curves import RATIOS
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.measures.score import Score
from tcga_coherent.studies.prioritisation.acquisition import Acquisition, follow_acquisitions
from tcga_coherent.studies.prioritisation.experiment import SCORED_STRATEGIES, score_column
from tcga_coherent.studies.prioritisation.table import (
    AREA_COLUMNS,
    CURVE_COLUMNS,
    acquisition_verdicts,
    area_lines,
    area_table,
    curve_table,
    curves_by_repeat,
)
from tests.studies.prioritisation.made_up_priorities import need_half, predict_all

BOOTSTRAP = BootstrapParameters(repeats=100, level=0.95)


@pytest.fixture(scope="module")
def made():
    inputs, tasks, _ = need_half()
    return predict_all(inputs), tasks


def follow(repeats: pd.DataFrame, tasks):
    return follow_acquisitions(repeats, tasks, ["rnaseq"], BOOTSTRAP, seed=0)


def with_test(tasks: PossibleTasks, change: Callable) -> PossibleTasks:
    """Return the tasks with other outcomes of the test patients."""
    changed = {
        name: replace(outcomes, test=change(outcomes.test))
        for name, outcomes in tasks.possible.items()
    }
    return replace(tasks, possible=changed)


def areas_of(repeats: pd.DataFrame, tasks) -> pd.DataFrame:
    table = area_table(follow(repeats, tasks), repeats, BOOTSTRAP.level)
    return table.set_index(["task", "unacquired", "strategy"])


@pytest.fixture(scope="module")
def areas(made) -> pd.DataFrame:
    return areas_of(*made)


def test_a_verdict_is_the_area_while_others_have_the_modality_generated(areas) -> None:
    for task in ("stage", "survival"):
        verdicts = acquisition_verdicts(areas.reset_index(), task)
        assert len(verdicts) == 2 * 2
        for method in ("coherent", "multi"):
            for score, strategy in (
                ("variance_score", method),
                ("expected_change", f"{method}_expected_change"),
            ):
                row = areas.loc[(task, "generated", strategy)]
                assert verdicts[f"{method}/rnaseq/{score}"] == {
                    "gain": row["area_mean"],
                    "gain_low": row["area_low"],
                    "gain_high": row["area_high"],
                    "above_random": row["above_random"],
                }
    assert acquisition_verdicts(areas.reset_index(), "cancer_type") == {}


@pytest.mark.parametrize(("task", "least"), [("stage", 0.03), ("survival", 0.002)])
def test_informed_acquisition_is_above_random(areas, task, least) -> None:
    for strategy in ("coherent", "multi", "coherent_expected_change"):
        row = areas.loc[(task, "generated", strategy)]
        assert row["area_low"] > least
        assert row["above_random"] == "yes"
        assert row["p_above_random"] == 1
        assert row["area_low"] < row["area_mean"] < row["area_high"]
        assert 0 < row["share_of_oracle"] < 1


def test_the_oracle_is_the_best(areas) -> None:
    for _, group in areas.groupby(level=["task", "unacquired"]):
        best = group["area_mean"].idxmax()[-1]
        assert best == "oracle"
        assert group.xs("oracle", level="strategy")["share_of_oracle"].item() == 1


def test_the_forests_own_doubt_is_the_bar_for_generated_data(areas) -> None:
    rows = areas.loc[("stage", "generated")]
    difference = rows["area_mean"] - rows.loc["entropy", "area_mean"]
    np.testing.assert_allclose(rows["over_entropy_mean"], difference, atol=1e-12)
    assert rows.loc["entropy", ["over_entropy_low", "over_entropy_high"]].tolist() == [0, 0]
    assert rows.loc["coherent", "over_entropy_low"] > 0.02


def test_a_reversed_score_is_below_random(made) -> None:
    repeats, tasks = made
    scores = [score_column(name, "generated") for name in SCORED_STRATEGIES]
    row = areas_of(repeats.assign(**-repeats[scores]), tasks).loc[
        ("stage", "generated", "coherent")
    ]
    assert row["area_high"] < -0.02
    assert row["above_random"] == "no"
    assert row["p_above_random"] == 0


def test_outcomes_of_other_patients_give_no_area(made) -> None:
    """Labels that have nothing to do with the predictions are predicted as badly in any order."""
    repeats, tasks = made
    rng = np.random.default_rng(3)
    order = rng.permutation(len(next(iter(tasks.possible.values())).test))
    table = areas_of(repeats, with_test(tasks, lambda test: test.iloc[order].set_axis(test.index)))
    for task in ("stage", "survival"):
        assert table.loc[(task, "generated", "coherent"), "above_random"] == "undecided"
        assert abs(table.loc[(task, "generated", "coherent"), "area_mean"]) < 0.02


def test_the_ends_of_every_curve_are_nobody_and_everybody_measured(made) -> None:
    repeats, tasks = made
    curves = curve_table(follow(repeats, tasks), repeats, BOOTSTRAP.level)
    rows = repeats[repeats["task"] == "stage"]
    truth = tasks.possible["stage"].test.to_numpy()
    for kind, ratio in (("missing", 0), ("generated", 0), ("real", 1)):
        scores = []
        for _, of_repeat in rows.groupby("repeat"):
            likely = np.where(of_repeat[f"{kind}/III"] > 0.5, "III", "I")
            scores.append(f1_score(truth, likely, average="macro"))
        at_end = curves[(curves["task"] == "stage") & (curves["ratio"] == ratio)]
        if kind != "real":
            at_end = at_end[at_end["unacquired"] == kind]
        np.testing.assert_allclose(at_end["score_mean"], np.mean(scores), atol=0.01)
        np.testing.assert_allclose(at_end["score_std"], at_end["score_std"].iloc[0], atol=1e-12)
        assert at_end["n_acquired"].eq(ratio * len(truth)).all()
    assert (curves["n_patients"] == len(truth)).all()


def test_areas_are_the_mean_height_above_random_over_repeats(made, areas) -> None:
    repeats, tasks = made
    curves = curves_by_repeat(follow(repeats, tasks))
    cell = ["task", "unacquired", "strategy", "repeat"]
    heights = curves.groupby(cell)["score"].mean()
    above = heights - heights.xs("random", level="strategy")
    grouped = above.groupby(["task", "unacquired", "strategy"])
    np.testing.assert_allclose(grouped.mean()[areas.index], areas["area_mean"])
    np.testing.assert_allclose(grouped.std()[areas.index], areas["area_std"])


def flat(by_repeat: list[float], by_sample: list[float]) -> Score:
    """A curve that is as high at every ratio."""
    ratios = np.ones((1, len(RATIOS)))
    return Score(*(np.array(values)[:, None] * ratios for values in (by_repeat, by_sample)))


def area_of_flat(coherent: Score, oracle: Score) -> pd.Series:
    zero = flat([0.0, 0.0], [0.0] * len(coherent.by_sample))
    curves = {"random": zero, "entropy": zero, "coherent": coherent, "oracle": oracle}
    one = Acquisition("stage", "rnaseq", "missing", "macro_f1", 9, curves)
    notes = pd.DataFrame(columns=["task", "modality", "note"])
    return area_table([one], notes, 0.8).set_index("strategy").loc["coherent"]


def test_ties_with_random_count_half_and_undefined_samples_do_not_count() -> None:
    coherent = flat([0.1, 0.3], [0.0, 0.0, 0.4, np.nan, -0.2])
    row = area_of_flat(coherent, flat([1.0, 1.0], [1.0] * 5))
    assert row["p_above_random"] == pytest.approx((1 + 2 / 2) / 4)


@pytest.mark.parametrize("height", [0.0, 1e-16, -0.2])
def test_there_is_no_share_of_an_oracle_that_gains_nothing(height) -> None:
    coherent = flat([0.1, 0.3], [0.1, 0.2, 0.3])
    shares = ["share_of_oracle", "share_of_oracle_low", "share_of_oracle_high"]
    gaining = area_of_flat(coherent, flat([0.4, 0.4], [0.4] * 3))
    np.testing.assert_allclose(gaining[shares].astype(float), [0.5, 0.3, 0.7])
    row = area_of_flat(coherent, flat([height] * 2, [height] * 3))
    assert row[shares].isna().all()
    assert row["area_mean"] == pytest.approx(0.2)


def test_patients_without_an_outcome_are_not_scored(made) -> None:
    repeats, tasks = made
    table = areas_of(repeats, with_test(tasks, lambda test: test.iloc[30:]))
    assert set(table["n_patients"]) == {200 - 30}


def test_reasons_are_rows_without_numbers(made) -> None:
    repeats, tasks = made
    note = {"task": "survival", "modality": "wsi", "patient_id": "", "note": "no wsi"}
    noted = [pd.DataFrame([{**note, "repeat": repeat}]) for repeat in range(3)]
    both = pd.concat([repeats[repeats["task"] == "stage"], *noted], ignore_index=True)
    acquisitions = follow(both, tasks)
    for table, columns in (
        (curve_table(acquisitions, both, 0.95), CURVE_COLUMNS),
        (area_table(acquisitions, both, 0.95), AREA_COLUMNS),
    ):
        assert list(table) == columns
        reason = table[table["note"] != ""]
        assert reason[["task", "modality", "note"]].to_numpy().tolist() == [
            ["survival", "wsi", "no wsi"]
        ]
        assert reason.drop(columns=["task", "modality", "note"]).isna().all(axis=None)
    lines = list(area_lines(area_table(acquisitions, both, 0.95)))
    assert lines[-1] == "survival, wsi: no wsi"
    assert lines[0].startswith("stage, rnaseq, else missing, coherent: area to random +0.")


def test_tables_of_reasons_alone_have_all_columns() -> None:
    note = {"task": "stage", "modality": "wsi", "patient_id": "", "note": "no wsi", "repeat": 0}
    repeats = pd.DataFrame([note])
    assert list(curve_table([], repeats, 0.95)) == CURVE_COLUMNS
    assert list(area_table([], repeats, 0.95)["note"]) == ["no wsi"]
    assert curves_by_repeat([]).empty
