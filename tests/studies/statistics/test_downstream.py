import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from tcga_coherent.downstream.classification import ClassOutcomes
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.downstream.tasks.survival import SurvivalOutcomes
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.studies.statistics.downstream import (
    acquisition_comparisons,
    acquisition_differences,
    rescue_comparisons,
)
from tcga_coherent.studies.statistics.table import statistics_table

BOOTSTRAP = BootstrapParameters(repeats=40, level=0.9)
PATIENTS = pd.Index([f"P{i:02d}" for i in range(40)], name="patient_id")
STAGES = pd.Series(np.tile(["I", "II"], 20), PATIENTS)
OUTCOMES = pd.DataFrame({"event": True, "days": np.arange(40.0) + 1}, index=PATIENTS)
# Share of the patients whose stage is told, and whose risk is in order.
RIGHT = {"real": 1.0, "coherent": 0.9, "multi": 0.8, "ablation": 0.5}


def predictions() -> pd.DataFrame:
    """Predictions of two repeats; survival is predicted from full data in order of death."""
    frames = []
    for method, share in RIGHT.items():
        removed = "none" if method == "real" else "cna"
        poolings = ["point"] if method in ("real", "ablation") else ["draw", "mean_of_draws"]
        for pooling in poolings:
            for repeat in range(2):
                # The mean of draws is right of everybody: it must not be taken for a draw.
                n_right = 40 if pooling == "mean_of_draws" else round(40 * share) - repeat
                stage, risk = STAGES.to_numpy().copy(), -OUTCOMES["days"].to_numpy()
                stage[n_right:] = np.where(stage[n_right:] == "I", "II", "I")
                risk[n_right:] *= -1
                cell = {"removed": removed, "method": method, "pooling": pooling}
                shared = {**cell, "patient_id": PATIENTS, "repeat": repeat}
                frames.append(pd.DataFrame({"task": "stage", **shared, "predicted": stage}))
                values = {"risk": risk, "integrated_brier": 0.1}
                frames.append(pd.DataFrame({"task": "survival", **shared, **values}))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def comparisons() -> dict:
    tasks = PossibleTasks(
        {
            "stage": ClassOutcomes(STAGES, STAGES),
            "survival": SurvivalOutcomes(OUTCOMES, OUTCOMES, 5.0),
        },
        {},
    )
    found = rescue_comparisons(predictions(), tasks, "draw", BOOTSTRAP, seed=0)
    return {one.condition: one for one in found}


def test_rescue_compares_single_draws_with_ablation_and_full_data(comparisons) -> None:
    one = comparisons["stage without cna"]
    assert list(one.scores) == ["ablation", "multi", "coherent", "real"]
    means = [score.mean for score in one.scores.values()]
    assert means == sorted(means)
    wrong = STAGES.to_numpy().copy()
    wrong[32:] = np.where(wrong[32:] == "I", "II", "I")
    expected = f1_score(STAGES, wrong, average="macro")
    assert one.scores["multi"].by_repeat[0] == pytest.approx(expected)
    assert (one.metric, one.n_patients) == ("macro_f1_of_draws", 40)


def test_the_pooling_of_the_draws_is_named() -> None:
    tasks = PossibleTasks({"stage": ClassOutcomes(STAGES, STAGES)}, {})
    stages = predictions().query("task == 'stage'")
    one, _ = rescue_comparisons(stages, tasks, "mean_of_draws", BOOTSTRAP, seed=0)
    assert one.metric == "macro_f1_of_mean"
    assert list(one.scores["multi"].by_repeat) == [1, 1]


def test_risks_in_order_of_death_are_concordant(comparisons) -> None:
    one = comparisons["survival without cna"]
    assert one.metric == "c_index_of_draws"
    # All of the 780 pairs are comparable; reversed are those that lose a late patient.
    assert one.scores["real"].by_repeat[0] == 1
    assert one.scores["ablation"].by_repeat.mean() < one.scores["coherent"].by_repeat.mean() < 1
    assert one.scores["ablation"].by_sample.mean() < one.scores["real"].by_sample.mean()


def test_a_rescue_task_that_was_skipped_keeps_its_reason() -> None:
    tasks = PossibleTasks(
        {"stage": ClassOutcomes(STAGES, STAGES)}, {"survival": "all are censored"}
    )
    found = rescue_comparisons(
        predictions().query("task == 'stage'"), tasks, "draw", BOOTSTRAP, seed=0
    )
    assert {(one.condition, one.note) for one in found} >= {("survival", "all are censored")}
    assert "stage without cna" in {one.condition for one in found}


def curves() -> pd.DataFrame:
    """Curves of two repeats whose mean heights are known."""
    heights = {"random": [0.4, 0.5], "multi": [0.5, 0.5], "coherent": [0.6, 0.8]}
    heights["coherent_expected_change"] = heights["oracle"] = [0.9, 0.9]
    keys = {"task": "stage", "modality": "wsi", "unacquired": "missing"}
    return pd.DataFrame(
        [
            {**keys, "strategy": name, "repeat": repeat, "ratio": ratio, "score": height + tilt}
            for name, values in heights.items()
            for repeat, height in enumerate(values)
            for ratio, tilt in ((0.0, -0.1), (1.0, 0.1))
        ]
    )


def test_acquisition_compares_the_mean_heights_of_curves() -> None:
    (one,) = acquisition_comparisons(curves())
    assert one.condition == "stage, wsi, else missing"
    np.testing.assert_allclose(one.scores["coherent"].by_repeat, [0.6, 0.8])
    assert next(iter(one.scores)) == "random"
    assert "oracle" not in one.scores
    table = statistics_table([one], 0.9)
    pair = table[(table["treatment"] == "coherent") & (table["reference"] == "random")]
    assert pair["difference_mean"].item() == pytest.approx(0.25)
    assert set(table["unit"]) == {"repeats"}


def test_areas_stand_beside_them_with_their_interval_over_patients(tmp_path) -> None:
    areas = pd.DataFrame(
        [
            {"task": "stage", "modality": "wsi", "unacquired": "missing", "strategy": name,
             "area_mean": 0.2, "area_std": 0.01, "area_low": 0.1, "area_high": 0.3,
             "p_above_random": 0.99, "n_patients": 40, "note": ""}
            for name in ("coherent", "oracle")
        ]
        + [{"task": "survival", "modality": "wsi", "note": "all are censored"}]
    )  # fmt: skip
    areas.to_csv(tmp_path / "areas.csv", index=False)
    areas = pd.read_csv(tmp_path / "areas.csv")
    table = statistics_table(acquisition_comparisons(curves()), 0.9, acquisition_differences(areas))
    over_patients = table[table["unit"] == "patients"].set_index("treatment")
    assert over_patients.loc["coherent", "difference_low"] == 0.1
    assert over_patients.loc["coherent", "share_above_zero"] == 0.99
    assert over_patients.loc["coherent", "condition"] == "stage, wsi, else missing"
    assert "oracle" not in over_patients.index
    assert over_patients.loc["", "note"] == "all are censored"


def test_a_cohort_without_any_acquisition_gives_none() -> None:
    assert acquisition_comparisons(curves().iloc[:0]) == []
