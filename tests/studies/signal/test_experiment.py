import numpy as np
import pandas as pd
import pytest

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.studies.signal.experiment import (
    CHANCE,
    INPUTS,
    labelled_patients,
    predict_repeat,
    signal_cells,
)
from tests.studies.signal.made_up_signal import (
    FORESTS,
    N_REPEATS,
    N_WITHOUT_CNA,
    NEXT,
    STAGES,
    TYPES,
    made_up_cohort,
    made_up_predictions,
    made_up_profiles,
)


@pytest.fixture(scope="module")
def cohort_and_clinical() -> tuple[Cohort, pd.DataFrame]:
    return made_up_cohort()


@pytest.fixture(scope="module")
def predictions(cohort_and_clinical) -> pd.DataFrame:
    return made_up_predictions(*cohort_and_clinical)


def share_right(rows: pd.DataFrame, cohort: Cohort) -> float:
    truth = cohort.cancer_type[rows["patient_id"]].to_numpy()
    return float((rows["predicted"].to_numpy() == truth).mean())


def select(predictions: pd.DataFrame, **wanted) -> pd.DataFrame:
    keep = np.logical_and.reduce([predictions[name] == value for name, value in wanted.items()])
    return predictions[keep]


def test_a_modality_that_tells_the_types_apart_is_read_without_mistake(
    predictions, cohort_and_clinical
) -> None:
    cohort, _ = cohort_and_clinical
    for method, kind in (("real", "real"), ("multi", "draw"), ("ridge", "prediction")):
        rows = select(predictions, task="cancer_type", modality="rnaseq", method=method, input=kind)
        assert share_right(rows, cohort) == 1


def test_a_modality_that_tells_nothing_is_no_better_than_guessing(
    predictions, cohort_and_clinical
) -> None:
    # A forest that had seen the test patients would name nearly all of their types.
    rows = select(predictions, task="cancer_type", modality="cna", method="real")
    assert share_right(rows, cohort_and_clinical[0]) < 0.55


def test_a_repeat_reads_the_draw_of_its_own_number(predictions, cohort_and_clinical) -> None:
    cohort, _ = cohort_and_clinical
    shares = [
        share_right(
            select(
                predictions,
                task="cancer_type",
                modality="rnaseq",
                method="coherent",
                input="draw",
                repeat=repeat,
            ),
            cohort,
        )
        for repeat in range(N_REPEATS)
    ]
    assert shares == [0, 1, 0]


def test_draws_of_another_patient_are_read_as_that_patients_type(
    predictions, cohort_and_clinical
) -> None:
    cohort, _ = cohort_and_clinical
    rows = select(
        predictions,
        task="cancer_type",
        modality="rnaseq",
        method="coherent",
        input="draw",
        repeat=0,
    )
    truth = np.searchsorted(TYPES, cohort.cancer_type[rows["patient_id"]])
    assert list(rows["predicted"]) == list(TYPES[NEXT[truth]])


def test_the_mean_of_draws_is_read_in_every_repeat_alike(predictions, cohort_and_clinical) -> None:
    # Two of three draws are another patient's: their mean is, too.
    rows = select(
        predictions,
        task="cancer_type",
        modality="rnaseq",
        method="coherent",
        input="mean_of_draws",
    )
    assert share_right(rows, cohort_and_clinical[0]) == 0
    assert rows["repeat"].nunique() == N_REPEATS


def test_guesses_follow_the_training_patients_alone() -> None:
    cohort, clinical = made_up_cohort()
    # Nine of ten training patients are of one type; the test patients of all three alike.
    mostly = cohort.cancer_type.copy()
    mostly[cohort.train] = np.where(np.arange(len(cohort.train)) % 10 < 9, "LUAD", "SKCM")
    cohort = Cohort(cohort.latents, cohort.train, cohort.val, cohort.test, mostly)
    cells = [
        cell
        for cell in signal_cells(cohort, clinical, made_up_profiles(cohort), N_REPEATS)
        if cell.task == "cancer_type"
    ]
    guessed = pd.concat([predict_repeat(repeat, cells, FORESTS, 0) for repeat in range(3)])
    assert set(select(guessed, method="majority")["predicted"]) == {"LUAD"}
    share = (select(guessed, method="stratified")["predicted"] == "LUAD").mean()
    assert share == pytest.approx(0.9, abs=0.06)


def test_training_and_test_patients_are_those_with_modality_and_label(cohort_and_clinical) -> None:
    cohort, clinical = cohort_and_clinical
    train, test = labelled_patients("stage", "cna", cohort, clinical)
    assert set(train.index) == set(cohort.train[N_WITHOUT_CNA:])
    assert set(test.index) == set(cohort.test[3:])
    cells = {
        (cell.task, cell.modality): cell
        for cell in signal_cells(cohort, clinical, made_up_profiles(cohort), N_REPEATS)
    }
    cell = cells["stage", "rnaseq"]
    for key in INPUTS:
        assert cell.test[key].shape[-2:] == (len(cohort.test) - 3, 3)
    assert np.array_equal(cell.test["real", "real"], cohort.truth("rnaseq")[3:])
    assert np.array_equal(cell.train, cohort.latents["rnaseq"].loc[cohort.train])


def test_a_task_without_labels_is_left_out_and_the_others_stay(cohort_and_clinical) -> None:
    cohort, clinical = cohort_and_clinical
    cells = list(
        signal_cells(cohort, clinical.assign(stage=None), made_up_profiles(cohort), N_REPEATS)
    )
    assert [(cell.task, cell.modality) for cell in cells] == [
        ("cancer_type", "cna"),
        ("cancer_type", "rnaseq"),
    ]
    with pytest.raises(CannotEvaluate, match="no training patient has a stage"):
        labelled_patients("stage", "cna", cohort, clinical.assign(stage=None))


def test_a_cohort_without_any_task_gives_no_predictions(cohort_and_clinical) -> None:
    cohort, clinical = cohort_and_clinical
    one_type = pd.Series("LUAD", cohort.cancer_type.index)
    cohort = Cohort(cohort.latents, cohort.train, cohort.val, cohort.test, one_type)
    predictions = made_up_predictions(cohort, clinical.assign(stage=STAGES[0]))
    assert predictions.empty
    assert {"task", "modality", "method", "input", "patient_id", "predicted"} <= set(predictions)


def test_every_input_and_guess_is_predicted_once_a_patient(predictions) -> None:
    key = ["task", "modality", "method", "input", "repeat", "patient_id"]
    assert not predictions.duplicated(key).any()
    found = set(zip(predictions["method"], predictions["input"], strict=True))
    assert found == {*INPUTS, *CHANCE}


def test_repeats_give_the_same_classes_again(cohort_and_clinical, predictions) -> None:
    again = made_up_predictions(*cohort_and_clinical)
    pd.testing.assert_frame_equal(again, predictions)


def test_more_repeats_than_independent_draws_are_refused(cohort_and_clinical) -> None:
    cohort, clinical = cohort_and_clinical
    profiles = made_up_profiles(cohort)
    with pytest.raises(
        ValueError, match=r"n_repeats is 4, but test_draws hold only 3 draws .*n_draws"
    ):
        list(signal_cells(cohort, clinical, profiles, 4))
