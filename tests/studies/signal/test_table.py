import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from tcga_coherent.cohort import Cohort
from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.studies.signal.claims import ReportedClaim
from tcga_coherent.studies.signal.experiment import CHANCE, INPUTS
from tcga_coherent.studies.signal.table import METRICS, cell_scores, signal_lines, signal_table
from tests.studies.signal.made_up_signal import N_REPEATS, made_up_cohort, made_up_predictions

BOOTSTRAP = BootstrapParameters(repeats=60, level=0.9)
REPORTED = (
    ReportedClaim("cancer_type", "rnaseq", "coherent", "macro_f1", "equal", 0.94, 0.95),
    ReportedClaim("cancer_type", "rnaseq", "multi", "macro_f1", "equal"),
)


@pytest.fixture(scope="module")
def cohort_and_clinical() -> tuple[Cohort, pd.DataFrame]:
    return made_up_cohort()


@pytest.fixture(scope="module")
def predictions(cohort_and_clinical) -> pd.DataFrame:
    return made_up_predictions(*cohort_and_clinical)


@pytest.fixture(scope="module")
def table(predictions, cohort_and_clinical) -> pd.DataFrame:
    return signal_table(predictions, *cohort_and_clinical, BOOTSTRAP, REPORTED, seed=0)


def row(table: pd.DataFrame, task: str, modality: str, method: str, kind: str) -> pd.Series:
    return table.set_index(["task", "modality", "method", "input"]).loc[
        (task, modality, method, kind)
    ]


def test_scores_are_those_of_scikit_learn(table, predictions, cohort_and_clinical) -> None:
    cohort, _ = cohort_and_clinical
    for method, kind in (*INPUTS, *CHANCE):
        f1, accuracy = [], []
        rows = predictions.query(
            "task == 'cancer_type' and modality == 'cna' and method == @method and input == @kind"
        )
        for _, own in rows.groupby("repeat"):
            truth = cohort.cancer_type[own["patient_id"]]
            f1.append(f1_score(truth, own["predicted"], average="macro", zero_division=0))
            accuracy.append(balanced_accuracy_score(truth, own["predicted"]))
        assert len(f1) == N_REPEATS
        scored = row(table, "cancer_type", "cna", method, kind)
        assert scored["macro_f1_mean"] == pytest.approx(np.mean(f1))
        assert scored["macro_f1_std"] == pytest.approx(np.std(f1, ddof=1))
        assert scored["balanced_accuracy_mean"] == pytest.approx(np.mean(accuracy))


def test_the_difference_to_real_is_paired(table, predictions, cohort_and_clinical) -> None:
    # Inputs equal to the measured latents differ in no sample of the patients.
    same = row(table, "cancer_type", "cna", "multi", "draw")
    assert same["macro_f1_low"] < same["macro_f1_high"]
    for end in ("mean", "std", "low", "high"):
        assert same[f"macro_f1_difference_to_real_{end}"] == 0
    cohort, _ = cohort_and_clinical
    own = predictions.query("task == 'cancer_type' and modality == 'cna'")
    truth = cohort.cancer_type[cohort.test]
    resamples = resample_patients(len(truth), BOOTSTRAP.repeats, 0)
    scores = cell_scores(own, truth, resamples)["balanced_accuracy"]
    difference = (scores["coherent", "draw"] - scores["real", "real"]).by_sample
    scored = row(table, "cancer_type", "cna", "coherent", "draw")
    ends = scored[[f"balanced_accuracy_difference_to_real_{end}" for end in ("low", "high")]]
    np.testing.assert_allclose(ends.astype(float), np.quantile(difference, [0.05, 0.95]))


def test_generated_profiles_of_other_types_score_below_the_measured(table) -> None:
    # One of three draws is right, so is a third of the repeats.
    scored = row(table, "cancer_type", "rnaseq", "coherent", "draw")
    assert scored["macro_f1_mean"] == pytest.approx(1 / 3)
    assert scored["macro_f1_difference_to_real_mean"] == pytest.approx(-2 / 3)
    assert scored["macro_f1_difference_to_real_high"] == pytest.approx(-2 / 3)
    assert np.isnan(row(table, "stage", "cna", "real", "real")["macro_f1_difference_to_real_mean"])


def test_sizes_are_of_patients_with_label_and_modality(table) -> None:
    scored = row(table, "stage", "cna", "real", "real")
    assert (scored["n_patients"], scored["n_train"], scored["n_classes"]) == (57, 93, 3)
    assert (table["note"] == "").all()


def test_the_papers_scores_stand_where_its_text_gives_them(table) -> None:
    assert row(table, "cancer_type", "rnaseq", "real", "real")["paper_macro_f1"] == 0.94
    assert row(table, "cancer_type", "rnaseq", "coherent", "draw")["paper_macro_f1"] == 0.95
    assert table["paper_macro_f1"].notna().sum() == 2
    assert table["paper_balanced_accuracy"].isna().all()


def test_a_task_that_cannot_be_judged_has_a_row_with_the_reason(cohort_and_clinical) -> None:
    cohort, clinical = cohort_and_clinical
    clinical = clinical.assign(stage="II")
    predictions = made_up_predictions(cohort, clinical)
    table = signal_table(predictions, cohort, clinical, BOOTSTRAP, REPORTED, seed=0)
    skipped = table[table["task"] == "stage"]
    assert list(skipped["modality"]) == ["cna", "rnaseq"]
    assert set(skipped["note"]) == {
        "all 93 training patients have the stage II",
        "all 100 training patients have the stage II",
    }
    assert skipped[[f"{metric}_mean" for metric in METRICS]].isna().all(axis=None)
    judged = table[table["task"] == "cancer_type"]
    assert len(judged) == 2 * (len(INPUTS) + len(CHANCE))
    assert judged["macro_f1_mean"].notna().all()
    lines = signal_lines(table)
    assert lines[-1].endswith("skipped, all 100 training patients have the stage II")
    assert "measured 1.000, one draw of coherent 0.333 and of multi 1.000" in lines[1]
