from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.studies.prioritisation.experiment import (
    CHANGE_STRATEGIES,
    UNACQUIRED,
    VARIANCE_STRATEGIES,
    predict_repeat,
    predicted_outputs,
    prediction_columns,
    score_column,
)
from tests.studies.prioritisation.made_up_priorities import (
    FORESTS,
    need_half,
    predict_all,
    with_obstacle,
)

COHERENT = score_column(VARIANCE_STRATEGIES["coherent"], "missing")


@pytest.fixture(scope="module")
def made():
    inputs, tasks, clinical = need_half()
    return inputs, tasks, clinical, predict_repeat(0, inputs, FORESTS, seed=0)


def of_task(frame: pd.DataFrame, task: str) -> pd.DataFrame:
    return frame[frame["task"] == task].set_index("patient_id")


@pytest.mark.parametrize("task", ["stage", "survival"])
def test_those_whom_the_modality_decides_for_have_the_highest_scores(made, task) -> None:
    inputs, _, _, frame = made
    needs = inputs.real["cna"][:, 0] > 0
    rows = of_task(frame, task)
    score = rows[COHERENT].to_numpy()
    assert np.quantile(score[needs], 0.1) > np.quantile(score[~needs], 0.9)
    noise = rows[score_column(VARIANCE_STRATEGIES["ridge_features"], "missing")].to_numpy()
    assert noise[~needs].mean() > 10 * score[~needs].mean()


def test_predictions_and_scores_are_those_of_the_forest(made) -> None:
    """The columns again, version by version."""
    inputs, _, _, frame = made
    rng = np.random.default_rng([0, 0])
    seed = int(rng.integers(2**32))
    chosen = rng.choice(6, 5, replace=False)
    training = inputs.training["stage"]
    model = training.outcomes.fit(training.features, FORESTS, seed)
    cna, rnaseq = inputs.real["cna"], inputs.real["rnaseq"]
    rows = of_task(frame, "stage")
    classes = predicted_outputs(rows)
    assert classes == ["I", "III"]
    real = rows[prediction_columns("real", classes)]
    np.testing.assert_allclose(real, model.predict(np.hstack([cna, rnaseq])))
    missing = rows[prediction_columns("missing", classes)]
    expected = model.predict(np.hstack([cna, np.full_like(rnaseq, np.nan)]))
    np.testing.assert_allclose(missing, expected)
    versions = inputs.versions["rnaseq"]["coherent"]
    seen = np.array([model.predict(np.hstack([cna, versions[k]])) for k in chosen])
    np.testing.assert_allclose(rows[prediction_columns("generated", classes)], seen.mean(axis=0))
    np.testing.assert_allclose(rows[COHERENT], seen.var(axis=0, ddof=1).mean(axis=1))
    np.testing.assert_allclose(rows["change"], np.abs(seen - expected).mean(axis=(0, 2)))


def test_no_score_knows_the_modality_that_is_to_be_measured(made) -> None:
    inputs, _, _, frame = made
    real = {**inputs.real, "rnaseq": inputs.real["rnaseq"][::-1] + 3}
    again = predict_repeat(0, replace(inputs, real=real), FORESTS, seed=0)
    knows = [column for column in frame if column.startswith("real/")]
    assert not frame[knows].equals(again[knows])
    pd.testing.assert_frame_equal(frame.drop(columns=knows), again.drop(columns=knows))


def test_a_repeat_is_reproducible_and_another_one_differs(made) -> None:
    inputs, _, _, frame = made
    pd.testing.assert_frame_equal(frame, predict_repeat(0, inputs, FORESTS, seed=0))
    other = predict_repeat(1, inputs, FORESTS, seed=0)
    assert not np.allclose(frame[COHERENT], other[COHERENT])
    assert not np.allclose(frame["real/I"].dropna(), other["real/I"].dropna())


def test_scores_that_ask_for_no_current_prediction_ignore_what_stands_in(made) -> None:
    frame = made[-1]
    for name in VARIANCE_STRATEGIES.values():
        missing, generated = (frame[score_column(name, kind)] for kind in UNACQUIRED)
        np.testing.assert_array_equal(missing, generated)
    changes = [frame[score_column(CHANGE_STRATEGIES["coherent"], kind)] for kind in UNACQUIRED]
    assert not np.allclose(*changes)


def test_what_cannot_be_evaluated_is_noted_and_the_rest_predicted() -> None:
    inputs, _, _ = need_half(n_train=100, n_test=40)
    frame = predict_all(with_obstacle(inputs, "all 100 training patients are censored"))
    notes = frame[frame["note"] != ""]
    assert set(notes["task"]) == {"survival"}
    assert set(notes["note"]) == {"all 100 training patients are censored"}
    assert len(frame[frame["task"] == "stage"]) == 3 * 40


def test_nothing_to_evaluate_gives_notes_alone() -> None:
    inputs, _, _ = need_half(n_train=100, n_test=40)
    obstacles = {(task, "rnaseq"): "no test patient" for task in ("stage", "survival")}
    frame = predict_repeat(
        0, replace(inputs, training={}, versions={}, obstacles=obstacles), FORESTS, seed=0
    )
    assert list(frame["note"]) == ["no test patient"] * 2
