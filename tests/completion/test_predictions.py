"""Predictions and priorities in closed form: a model that is linear in each modality."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.completion.predictions import (
    PREDICTIONS,
    PRIORITIES,
    predict_patients,
    rank_patients,
)
from tcga_coherent.completion.predictor import Predictor
from tcga_coherent.diffusion.config import CompletionConfig

N_DRAWS = 6
PATIENTS = pd.Index(["Ada", "Bea", "Cem", "Dan"], name="patient_id")
GENERATED = pd.DataFrame(
    [[False, False], [False, True], [True, False], [True, True]], PATIENTS, ["cna", "rna"]
)
CONFIG = CompletionConfig()


def risk_of(cna: np.ndarray, rna: np.ndarray) -> np.ndarray:
    return cna + 10 * rna + cna * rna


@dataclass(frozen=True)
class LinearModel:
    """Predicts c + 10 r + c r, and half of it for later; two dimensions of each modality, one of them ignored."""

    outputs: tuple[str, ...] = ("risk", "survival@2.5")
    n_outputs: int = 1

    def quantities(self, features: np.ndarray) -> np.ndarray:
        risk = risk_of(features[:, 0], features[:, 2])
        return np.column_stack([risk, risk / 2])

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self.quantities(features)[:, :1]


PREDICTOR = Predictor(
    "survival",
    False,
    LinearModel(),
    {
        f"coherent/cna+rna/{name}/variance_score": np.array([0.0, 1e-9, 1e9])
        for name in ("cna", "rna")
    },
    {
        "coherent/rna": {
            "metric": "c_index",
            "held_out_complete": 0.7,
            "held_out_score": 0.6,
            "held_out_change": -0.1,
            "held_out_change_low": -0.2,
            "held_out_change_high": 0.0,
            "held_out_patients": 30.0,
        }
    },
    {
        "coherent/rna/variance_score": {
            "gain": 0.1,
            "gain_low": -0.1,
            "gain_high": 0.3,
            "above_random": "undecided",
        }
    },
    {},
)


@pytest.fixture
def draws() -> dict[str, pd.DataFrame]:
    """Latents; those that were measured are the same in every draw."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([PATIENTS, range(N_DRAWS)], names=["patient_id", "draw"])
    frames = {}
    for name in GENERATED:
        values = rng.standard_normal((4, N_DRAWS, 2))
        values[~GENERATED[name]] = values[~GENERATED[name], :1]
        frames[name] = pd.DataFrame(values.reshape(-1, 2), index)
    return frames


def of_draws(draws: dict[str, pd.DataFrame], name: str, patient: str) -> np.ndarray:
    return draws[name].loc[patient][0].to_numpy()


def test_predictions_are_pooled_over_the_draws_with_their_interval(draws) -> None:
    predictions, _ = predict_patients([PREDICTOR], draws, GENERATED, False, CONFIG)
    assert list(predictions.columns) == PREDICTIONS
    assert len(predictions) == 4 * 2
    rows = predictions.set_index(["patient_id", "output"])
    for patient in PATIENTS:
        risk = risk_of(of_draws(draws, "cna", patient), of_draws(draws, "rna", patient))
        row = rows.loc[(patient, "risk")]
        expected = [risk.mean(), *np.quantile(risk, [0.05, 0.95])]
        np.testing.assert_allclose(row[["value", "low", "high"]].astype(float), expected)
        later = rows.loc[(patient, "survival")]
        assert later["value"] == pytest.approx(risk.mean() / 2)
        assert later["years"] == 2.5
        assert np.isnan(row["years"])
    assert rows.loc[("Ada", "risk"), "low"] == rows.loc[("Ada", "risk"), "high"]
    assert list(rows.xs("risk", level="output")["generated"]) == ["", "rna", "cna", "cna+rna"]


def test_what_held_out_patients_lose_stands_beside_or_is_said_to_be_unknown(draws) -> None:
    predictions, _ = predict_patients([PREDICTOR], draws, GENERATED, False, CONFIG)
    rows = predictions[predictions["output"] == "risk"].set_index("patient_id")
    assert rows.loc["Bea", "held_out_change"] == -0.1
    assert rows.loc["Bea", ["metric", "note"]].tolist() == ["c_index", ""]
    for patient, pattern in (("Ada", "none"), ("Cem", "cna"), ("Dan", "cna+rna")):
        note = rows.loc[patient, "note"]
        assert note == f"held-out patients were never tested without {pattern}"
        assert np.isnan(rows.loc[patient, "held_out_score"])
    multi = replace(CONFIG, method="multi")
    others, _ = predict_patients([PREDICTOR], draws, GENERATED, False, multi)
    assert (others["note"] != "").all()
    again = replace(CONFIG, condition_on_generated=True)
    predictions, priorities = predict_patients([PREDICTOR], draws, GENERATED, False, again)
    for table in (predictions, priorities):
        noted = table["note"].str.contains("completed without condition_on_generated")
        assert set(table.loc[noted, "patient_id"]) == {"Dan"}


def test_priorities_are_what_one_modality_alone_would_change(draws) -> None:
    _, priorities = predict_patients([PREDICTOR], draws, GENERATED, False, CONFIG)
    assert list(priorities.columns) == PRIORITIES
    rows = priorities.set_index(["patient_id", "modality"])
    assert list(rows.index) == [("Bea", "rna"), ("Cem", "cna"), ("Dan", "cna"), ("Dan", "rna")]
    for patient, name in rows.index:
        # What else is missing is at its mean.
        cna, rna = (
            values if other == name else values.mean()
            for other in ("cna", "rna")
            for values in (of_draws(draws, other, patient),)
        )
        values = risk_of(cna, rna)
        row = rows.loc[(patient, name)]
        assert row["variance_score"] == pytest.approx(values.var(ddof=1))
        assert row["expected_change"] == pytest.approx(np.abs(values - values.mean()).mean())
    assert rows.loc[("Dan", "cna"), "missing"] == "cna+rna"
    # Held-out patients who lack both, of whom two of three are surely below.
    assert rows.loc[("Dan", "rna"), "variance_score_percentile"] == 50
    assert np.isnan(rows.loc[("Bea", "rna"), "variance_score_percentile"])
    assert rows.loc[("Dan", ["cna", "rna"]), "variance_score_test_rank"].tolist() == [2, 1]
    assert rows.loc[("Bea", "rna"), "variance_score_test_rank"] == 1


def test_of_antithetic_draws_one_of_each_pair_counts(draws) -> None:
    _, priorities = predict_patients([PREDICTOR], draws, GENERATED, True, CONFIG)
    cna, rna = of_draws(draws, "cna", "Bea"), of_draws(draws, "rna", "Bea")
    half = risk_of(cna, rna)[: N_DRAWS // 2]
    assert priorities.loc[0, "variance_score"] == pytest.approx(half.var(ddof=1))


def test_the_verdict_of_the_evaluation_stands_beside_or_is_said_to_be_unknown(draws) -> None:
    _, priorities = predict_patients([PREDICTOR], draws, GENERATED, False, CONFIG)
    rows = priorities.set_index(["patient_id", "modality"])
    row = rows.loc[("Bea", "rna")]
    found = row[[f"variance_score_{part}" for part in ("gain", "gain_low", "gain_high")]]
    assert found.tolist() == [0.1, -0.1, 0.3]
    assert row["variance_score_above_random"] == "undecided"
    assert row["expected_change_above_random"] == "unknown"
    assert row["note"] == "rna was never prioritised for held-out patients"
    assert np.isnan(rows.loc[("Cem", "cna"), "variance_score_gain"])


def test_costs_decide_between_the_tests_of_a_patient_and_not_between_patients(draws) -> None:
    costs = replace(CONFIG, costs={"cna": 1.0, "rna": 1e6})
    _, priorities = predict_patients([PREDICTOR], draws, GENERATED, False, costs)
    rows = priorities.set_index(["patient_id", "modality"])
    assert rows.loc[("Dan", ["cna", "rna"]), "variance_score_test_rank"].tolist() == [1, 2]
    assert rows.loc[("Dan", "rna"), "cost"] == 1e6
    np.testing.assert_allclose(
        rows["expected_change_per_cost"], rows["expected_change"] / rows["cost"]
    )
    _, free = predict_patients([PREDICTOR], draws, GENERATED, False, CONFIG)
    assert free[["cost", "variance_score_per_cost"]].isna().all(axis=None)
    ranks = ["variance_score_rank", "expected_change_rank"]
    pd.testing.assert_frame_equal(rank_patients([priorities])[ranks], rank_patients([free])[ranks])


def test_ranks_are_over_the_patients_of_all_blocks_and_each_modality() -> None:
    blocks = [
        pd.DataFrame(
            {
                "patient_id": names,
                "task": "stage",
                "modality": ["rna", "rna", "cna"],
                "variance_score": scores,
                "expected_change": 0.0,
            }
        )
        for names, scores in ((list("abb"), [1.0, 4.0, 1.0]), (list("cdd"), [2.0, 4.0, 3.0]))
    ]
    with warnings.catch_warnings():
        # That a block without rows makes objects of numbers.
        warnings.simplefilter("error")
        ranked = rank_patients([blocks[0], pd.DataFrame(columns=PRIORITIES), blocks[1]])
    assert ranked["variance_score_rank"].tolist() == [4, 1, 2, 3, 1, 1]
    assert set(ranked["expected_change_rank"]) == {1}
    assert ranked["variance_score"].dtype == float


def test_without_models_or_patients_there_are_columns_and_no_rows(draws) -> None:
    nobody = {name: frame.iloc[:0] for name, frame in draws.items()}
    for tables in (
        predict_patients([], draws, GENERATED, False, CONFIG),
        predict_patients([PREDICTOR], nobody, GENERATED.iloc[:0], False, CONFIG),
    ):
        for table, columns in zip(tables, (PREDICTIONS, PRIORITIES), strict=True):
            assert list(table.columns) == columns
            assert table.empty
    assert rank_patients([tables[1]]).empty
