"""Patients of three cancer types that one modality tells apart and another does not."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tcga_coherent.baselines.predictions import BaselinePrediction
from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.profiles import TestProfiles
from tcga_coherent.downstream.repeated import repeat_study
from tcga_coherent.studies.signal.experiment import predict_repeat, signal_cells

FORESTS = ForestParameters(n_trees=15, survival_min_samples_leaf=5, survival_time_unit=30.0)
TYPES = np.array(["BRCA", "LUAD", "SKCM"])
STAGES = np.array(["I", "II", "III"])
N_REPEATS = 3
# The last third is tested; the first training patients have no copy numbers.
N_PATIENTS, N_TEST, N_WITHOUT_CNA = 180, 60, 7
NEXT = np.array([1, 2, 0])


def made_up_cohort() -> tuple[Cohort, pd.DataFrame]:
    """Return the cohort and its clinical table; rnaseq tells type and stage, cna nothing."""
    rng = np.random.default_rng(0)
    patients = pd.Index([f"TCGA-{i:03d}" for i in range(N_PATIENTS)], name="patient_id")
    kind = np.arange(N_PATIENTS) % 3
    columns = ["z00", "z01", "z02"]
    rnaseq = 6.0 * np.eye(3)[kind] + 0.5 * rng.standard_normal((N_PATIENTS, 3))
    cna = rng.standard_normal((N_PATIENTS, 3))
    latents = {
        "cna": pd.DataFrame(cna, patients, columns).iloc[N_WITHOUT_CNA:],
        "rnaseq": pd.DataFrame(rnaseq, patients, columns),
    }
    n_train = N_PATIENTS - N_TEST - 20
    cohort = Cohort(
        latents,
        patients[:n_train],
        patients[n_train:-N_TEST],
        patients[-N_TEST:],
        pd.Series(TYPES[kind], patients),
    )
    clinical = pd.DataFrame({"cancer_type": TYPES[kind], "stage": STAGES[kind]}, index=patients)
    # Test patients without a stage, one of each.
    clinical.loc[cohort.test[:3], "stage"] = None
    return cohort, clinical


def made_up_profiles(cohort: Cohort) -> TestProfiles:
    """Return draws: multi is right, coherent of another type, but right in the second repeat."""
    real = {name: cohort.truth(name) for name in cohort.modalities}
    draws, baselines = {}, {}
    for target, source in (("cna", "rnaseq"), ("rnaseq", "cna")):
        right = real[target]
        # The patients come in the order of types: the next one's profile is of another type.
        wrong = np.roll(right, -1, axis=0)
        draws[f"{target}/multi/{source}"] = np.stack([right] * N_REPEATS)
        draws[f"{target}/coherent/{source}"] = np.stack([wrong, right, wrong])
        for method in ("mean", "knn", "ridge", "ridge_features"):
            prediction = np.zeros_like(right) if method == "mean" else right
            baselines[f"{target}/{method}/{source}"] = BaselinePrediction(prediction, np.ones(3))
    return TestProfiles(cohort.test, real, draws, baselines, antithetic=False)


def made_up_predictions(cohort: Cohort, clinical: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions of all repeats."""
    return _last(
        repeat_study(
            "signal",
            predict_repeat,
            N_REPEATS,
            {},
            1,
            cells=[*signal_cells(cohort, clinical, made_up_profiles(cohort), N_REPEATS)],
            forests=FORESTS,
            seed=0,
        )
    )


def _last(results: Iterator[dict[str, pd.DataFrame]]) -> pd.DataFrame:
    return next(iter(list(results)[-1].values()))
