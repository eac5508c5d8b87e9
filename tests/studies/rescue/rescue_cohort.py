"""A made-up cohort in which copy number decides stage and survival.

Expression is a noisy copy of copy number, protein is noise. Draws and predictions of a modality are
from its true distribution given the others.
"""

import numpy as np
import pandas as pd

from tcga_coherent.baselines.predictions import BaselinePrediction
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.profiles import TestProfiles
from tcga_coherent.downstream.task import possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.source_sets import (
    generative_methods,
    partition_name,
    source_sets,
)
from tcga_coherent.studies.rescue.experiment import RescueStudy, rescue_study

MODALITIES = ["cna", "rnaseq", "rppa"]
N_TRAIN, N_VAL, N_TEST, N_DRAWS = 240, 10, 90, 8
CORRELATION = 0.95
FORESTS = ForestParameters(n_trees=30, survival_min_samples_leaf=5, survival_time_unit=30.0)


def rescue_cohort(seed: int = 0) -> tuple[Cohort, pd.DataFrame, TestProfiles]:
    """Return the cohort, its clinical table and its test patients; some patients are incomplete."""
    rng = np.random.default_rng(seed)
    n_patients = N_TRAIN + N_VAL + N_TEST
    patients = pd.Index([f"TCGA-{i:03d}" for i in range(n_patients)], name="patient_id")
    cna = rng.standard_normal((n_patients, 2))
    noise = rng.standard_normal((2, n_patients, 2))
    rnaseq = CORRELATION * cna + np.sqrt(1 - CORRELATION**2) * noise[0]
    frames = {
        name: pd.DataFrame(values, patients, ["z00", "z01"])
        for name, values in zip(MODALITIES, (cna, rnaseq, noise[1]), strict=True)
    }
    # The first ten training patients miss a modality.
    frames["rppa"] = frames["rppa"].iloc[10:]
    cancer_type = pd.Series(rng.choice(["BRCA", "LUAD"], n_patients), patients)
    splits = np.split(patients, [N_TRAIN, N_TRAIN + N_VAL])
    cohort = Cohort(frames, *splits, cancer_type)
    days = 800 * np.exp(-1.5 * cna[:, 0]) * rng.exponential(1, n_patients) + 1
    censored = rng.uniform(100, 4000, n_patients)
    clinical = pd.DataFrame(
        {
            "stage": np.where(cna[:, 0] > 0, "II", "I"),
            "os_event": (days <= censored).astype(float),
            "os_days": np.minimum(days, censored),
        },
        index=patients,
    )
    return cohort, clinical, _profiles(cohort, rng)


def rescue_study_of(
    cohort: Cohort,
    clinical: pd.DataFrame,
    profiles: TestProfiles,
    n_draws: int = 4,
    n_repeats: int = 2,
) -> RescueStudy:
    """Return the study with small forests."""
    tasks = possible_tasks(chosen(["stage", "survival"]), cohort, clinical, FORESTS)
    return rescue_study(cohort, tasks, profiles, FORESTS, n_draws, n_repeats, seed=0)


def _profiles(cohort: Cohort, rng: np.random.Generator) -> TestProfiles:
    real = {name: cohort.truth(name) for name in cohort.modalities}
    twin = {"cna": "rnaseq", "rnaseq": "cna"}
    draws, baselines = {}, {}
    for target in cohort.modalities:
        for sources in source_sets(target, cohort.modalities):
            known = twin.get(target) in sources
            mean = CORRELATION * real[twin[target]] if known else np.zeros((N_TEST, 2))
            sd = np.sqrt(1 - CORRELATION**2) if known else 1.0
            for method in generative_methods(sources):
                draws[partition_name(target, method, sources)] = mean + sd * rng.standard_normal(
                    (N_DRAWS, N_TEST, 2)
                )
            for method in BASELINES:
                predicted = np.zeros_like(mean) if method == "mean" else mean
                baselines[partition_name(target, method, sources)] = BaselinePrediction(
                    predicted, np.ones(2)
                )
    return TestProfiles(cohort.test, real, draws, baselines, antithetic=False)
