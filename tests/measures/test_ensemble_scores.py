import numpy as np
import pandas as pd
import pytest

from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.measures.calibration import crps
from tcga_coherent.measures.ensemble_scores import (
    score_draws,
    score_prediction,
    summarise_scores,
    unscored,
)
from tcga_coherent.measures.fidelity import r2

N_PATIENTS, N_DRAWS = 12, 6
BOOTSTRAP = BootstrapParameters(repeats=200, level=0.9)
PATIENTS = [f"TCGA-{i:02d}" for i in range(N_PATIENTS)]


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).normal(0.3, 1.0, (N_PATIENTS, 3))


def draws_of(truth: np.ndarray, error: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((N_DRAWS, *truth.shape))
    return truth + error + 0.5 * noise


def frame(method: str, repeat: int, scores: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(
        {"method": method, "target": "cna", "repeat": repeat, "patient_id": PATIENTS, **scores}
    )


def test_the_summary_is_r2_and_crps_of_all_patients_averaged_over_the_repeats(truth) -> None:
    draws = [draws_of(truth, 0.1, seed) for seed in range(3)]
    scores = pd.concat(
        [frame("good", n, score_draws(truth, d, antithetic=False)) for n, d in enumerate(draws)]
    )
    row = summarise_scores(scores, ["method", "target"], BOOTSTRAP, seed=0).iloc[0]
    fidelities = [r2(truth, d.mean(axis=0)) for d in draws]
    errors = [crps(truth, d) for d in draws]
    assert row["r2_of_mean_mean"] == pytest.approx(np.mean(fidelities))
    assert row["r2_of_mean_std"] == pytest.approx(np.std(fidelities, ddof=1))
    assert row["crps_mean"] == pytest.approx(np.mean(errors))
    assert row["crps_std"] == pytest.approx(np.std(errors, ddof=1))
    assert row["n_patients"] == N_PATIENTS


def test_crps_of_antithetic_draws_is_that_of_each_half(truth) -> None:
    draws = draws_of(truth, 0.0, 1)
    by_patient = score_draws(truth, draws, antithetic=True)["crps"]
    halves = [crps(truth, draws[:3]), crps(truth, draws[3:])]
    assert by_patient.mean() == pytest.approx(np.mean(halves))
    assert by_patient.mean() != pytest.approx(crps(truth, draws))


def test_intervals_are_those_of_r2_over_patients_drawn_with_replacement(truth) -> None:
    draws = draws_of(truth, 0.1, 0)
    scores = frame("good", 0, score_draws(truth, draws, antithetic=False))
    row = summarise_scores(scores, ["method", "target"], BOOTSTRAP, seed=7).iloc[0]
    resampled = []
    for counts in resample_patients(N_PATIENTS, BOOTSTRAP.repeats, 7):
        drawn = np.repeat(np.arange(N_PATIENTS), counts)
        resampled.append(r2(truth[drawn], draws.mean(axis=0)[drawn]))
    low, high = np.quantile(resampled, [0.05, 0.95])
    assert row["r2_of_mean_low"] == pytest.approx(low)
    assert row["r2_of_mean_high"] == pytest.approx(high)
    assert low < row["r2_of_mean_mean"] < high


def test_a_better_way_gains_r2_and_loses_crps_against_the_reference(truth) -> None:
    scores = pd.concat(
        [
            frame(method, 0, score_draws(truth, draws_of(truth, error, 0), antithetic=False))
            for method, error in (("worse", 0.5), ("better", 0.0))
        ]
    )
    table = summarise_scores(
        scores, ["method", "target"], BOOTSTRAP, 0, reference={"method": "worse"}
    ).set_index("method")
    values = table.loc["better"]
    difference = values["r2_of_mean_mean"] - table.loc["worse", "r2_of_mean_mean"]
    assert values["r2_of_mean_gain"] == pytest.approx(difference)
    assert 0 < values["r2_of_mean_gain_low"] < values["r2_of_mean_gain_high"]
    assert values["crps_gain_low"] < values["crps_gain_high"] < 0
    assert (table.loc["worse", ["r2_of_mean_gain_low", "crps_gain_high"]] == 0).all()


def test_rows_of_patients_in_another_order_are_matched_by_name(truth) -> None:
    scores = [frame("a", n, score_draws(truth, draws_of(truth, 0.1, n), False)) for n in range(2)]
    expected = summarise_scores(pd.concat(scores), ["method", "target"], BOOTSTRAP, 0)
    shuffled = pd.concat([scores[0], scores[1].sample(frac=1, random_state=0)])
    found = summarise_scores(shuffled, ["method", "target"], BOOTSTRAP, 0)
    pd.testing.assert_frame_equal(found, expected)


def test_a_prediction_has_r2_alone_and_what_is_not_compared_has_nothing(truth) -> None:
    scores = pd.concat(
        [
            frame("prediction", 0, score_prediction(truth, 0.9 * truth)),
            frame("nothing", 0, unscored(N_PATIENTS)),
        ]
    )
    table = summarise_scores(scores, ["method", "target"], BOOTSTRAP, 0).set_index("method")
    assert table.loc["prediction", "r2_of_mean_mean"] == pytest.approx(r2(truth, 0.9 * truth))
    assert np.isnan(table.loc["prediction", ["crps_mean", "crps_low"]].astype(float)).all()
    assert np.isnan(table.loc["nothing", ["r2_of_mean_mean", "r2_of_mean_low"]].astype(float)).all()
