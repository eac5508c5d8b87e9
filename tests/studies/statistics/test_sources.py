import numpy as np
import pytest

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.downstream.profiles import TestProfiles, read_profiles
from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.measures.fidelity import r2, r2_of_draws
from tcga_coherent.studies.signal.table import signal_table
from tcga_coherent.studies.statistics.sources import (
    reconstruction_comparisons,
    signal_comparisons,
)
from tcga_coherent.studies.statistics.table import statistics_table
from tests.studies.signal.made_up_signal import made_up_cohort, made_up_predictions

BOOTSTRAP = BootstrapParameters(repeats=50, level=0.9)


@pytest.fixture(scope="module")
def profiles(simulation) -> TestProfiles:
    parameters = BaselineParameters(
        ridge_alphas=(1.0, 10.0), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10,)
    )
    frames = dict(predict_baselines(simulation.cohort, parameters))
    loaders = {name: lambda frame=frame: frame for name, frame in frames.items()}
    return read_profiles(simulation.held_out(baseline_predictions=loaders))


def test_scores_by_repeat_are_those_of_the_draws(profiles) -> None:
    comparisons = reconstruction_comparisons(profiles, 4, BOOTSTRAP, seed=0)
    found = {(one.condition, one.metric): one for one in comparisons}
    draws = {k: v.by_repeat for k, v in found["rppa", "r2_of_draws"].scores.items()}
    truth = profiles.real["rppa"]
    expected = r2_of_draws(truth, profiles.draws["rppa/coherent/cna+rnaseq"][:4].astype(float))
    np.testing.assert_allclose(draws["coherent"], expected)
    ridge = r2(truth, profiles.baselines["rppa/ridge_features/cna+rnaseq"].mean)
    np.testing.assert_allclose(draws["ridge_features"], [ridge] * 4)
    mean = found["rppa", "r2_of_mean"].scores["multi"].by_repeat
    whole = profiles.draws["rppa/multi/cna+rnaseq"].mean(axis=0, dtype=float)
    np.testing.assert_allclose(mean, [r2(truth, whole)])


def test_the_best_single_source_is_the_best(profiles) -> None:
    for one in reconstruction_comparisons(profiles, 2, BOOTSTRAP, seed=0):
        if one.metric == "r2_of_mean":
            truth = profiles.real[one.condition]
            singles = [
                r2(truth, draws.mean(axis=0, dtype=float))
                for name, draws in profiles.draws.items()
                if name.startswith(f"{one.condition}/single/")
            ]
            assert one.scores["best_single"].by_repeat[0] == pytest.approx(max(singles))
            assert list(one.scores) == ["ridge_features", "best_single", "multi", "coherent"]


def test_scores_by_sample_are_those_of_the_patients_drawn(profiles) -> None:
    n_patients = len(profiles.patients)
    counts = resample_patients(n_patients, BOOTSTRAP.repeats, 0)
    one = reconstruction_comparisons(profiles, 3, BOOTSTRAP, seed=0)[0]
    truth, draws = profiles.real["cna"], profiles.draws["cna/multi/rnaseq+rppa"][:3].astype(float)
    for sample in (0, 7):
        drawn = np.repeat(np.arange(n_patients), counts[sample])
        expected = r2_of_draws(truth[drawn], draws[:, drawn]).mean()
        assert one.scores["multi"].by_sample[sample] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "kind"), [("macro_f1_of_draws", "draw"), ("macro_f1_of_mean", "mean_of_draws")]
)
def test_signal_differs_as_its_own_table_says(metric, kind) -> None:
    cohort, clinical = made_up_cohort()
    predictions = made_up_predictions(cohort, clinical)
    comparisons = signal_comparisons(predictions, cohort, clinical, BOOTSTRAP, seed=0)
    table = statistics_table(comparisons, BOOTSTRAP.level)
    own = signal_table(predictions, cohort, clinical, BOOTSTRAP, (), seed=0)
    expected = own.query(
        "task == 'stage' and modality == 'rnaseq' and method == 'coherent' and input == @kind"
    ).iloc[0]
    found = table.query(
        "metric == @metric and condition == 'stage from rnaseq' and unit == 'patients' and treatment == 'coherent' "
        "and reference == 'real'"
    ).iloc[0]
    for part in ("mean", "std", "low", "high"):
        assert found[f"difference_{part}"] == pytest.approx(
            expected[f"macro_f1_difference_to_real_{part}"]
        )
    assert found["difference_mean"] < -0.5
    assert found["n_patients"] == 57


def test_a_skipped_task_keeps_its_reason() -> None:
    cohort, clinical = made_up_cohort()
    clinical = clinical.assign(stage=None)
    predictions = made_up_predictions(cohort, clinical)
    comparisons = signal_comparisons(predictions, cohort, clinical, BOOTSTRAP, seed=0)
    notes = {one.condition: one.note for one in comparisons}
    assert notes["stage from cna"] == "no training patient has a stage"
    assert notes["cancer_type from cna"] == ""
