"""Patients of whom one half needs a modality and the other half does not."""

from dataclasses import replace

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.task import PossibleTasks, possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.studies.prioritisation.experiment import predict_repeat
from tcga_coherent.studies.prioritisation.inputs import CounterfactualInputs, TrainingSet

FORESTS = ForestParameters(n_trees=30, survival_min_samples_leaf=10, survival_time_unit=30)
N_VERSIONS = 6
N_REPEATS = 3


def need_half(
    n_train: int = 500, n_test: int = 200
) -> tuple[CounterfactualInputs, PossibleTasks, pd.DataFrame]:
    """Make inputs of repeats with the tasks and the clinical table they are from.

    Modality ``cna`` says to which half a patient belongs and, for the first half, the stage and the
    survival. ``rnaseq`` follows from it in the first half; in the second half, it alone decides.
    Versions of ``rnaseq`` are draws from its true distribution given ``cna``; those of ridge are
    noise. ``cna`` cannot be told from ``rnaseq``.
    """
    rng = np.random.default_rng(5)
    n = n_train + n_test
    patients = pd.Index([f"TCGA-{i:04d}" for i in range(n)], name="patient_id")
    needs = rng.random(n) < 0.5
    known, hidden = rng.standard_normal((2, n))
    rnaseq = np.where(needs, hidden, known)[:, None]
    cna = np.column_stack([2.0 * needs - 1, np.where(needs, 0, known)])
    severe = rnaseq[:, 0] > 0
    days = rng.exponential(np.where(severe, 100, 1000)) + 1
    clinical = pd.DataFrame(
        {
            "stage": np.where(severe, "III", "I"),
            "os_event": (rng.random(n) < 0.8).astype(float),
            "os_days": days,
        },
        index=patients,
    )
    train, test = patients[:n_train], patients[n_train:]
    frames = {
        "cna": pd.DataFrame(cna, patients),
        "rnaseq": pd.DataFrame(rnaseq, patients),
    }
    cohort = Cohort(frames, train, train[:0], test, pd.Series("LUAD", index=patients))
    noise = rng.standard_normal((2, N_VERSIONS, n_test, 1))
    drawn = np.where(needs[n_train:, None], noise[0], known[n_train:, None])
    versions = {"coherent": drawn, "multi": drawn, "ridge_features": noise[1]}
    features = np.hstack([cna, rnaseq])[:n_train]
    tasks = possible_tasks(chosen(["stage", "survival"]), cohort, clinical, FORESTS)
    training = {name: TrainingSet(features, outcomes) for name, outcomes in tasks.possible.items()}
    real = {name: frame.loc[test].to_numpy(float) for name, frame in frames.items()}
    inputs = CounterfactualInputs(training, test, real, {"rnaseq": versions}, N_VERSIONS - 1, {})
    return inputs, tasks, clinical


def predict_all(inputs: CounterfactualInputs) -> pd.DataFrame:
    """Return what the repeats give."""
    return pd.concat(
        [
            predict_repeat(repeat, inputs, FORESTS, seed=0).assign(repeat=repeat)
            for repeat in range(N_REPEATS)
        ],
        ignore_index=True,
    )


def with_obstacle(inputs: CounterfactualInputs, reason: str) -> CounterfactualInputs:
    """Return inputs in which survival cannot be evaluated."""
    training = {"stage": inputs.training["stage"]}
    return replace(inputs, training=training, obstacles={("survival", "rnaseq"): reason})
