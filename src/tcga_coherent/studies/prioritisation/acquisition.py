"""The acquisition curves of every strategy, task and modality."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.downstream.acquisition_curves import Scorer, acquisition_order
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import Score
from tcga_coherent.studies.prioritisation.experiment import (
    ORACLE,
    RANDOM,
    SCORED_STRATEGIES,
    UNACQUIRED,
    Unacquired,
    predicted_outputs,
    prediction_columns,
    score_column,
)


@dataclass(frozen=True)
class Acquisition:
    """The curves of all strategies for one task, modality and what stands in for it.

    Attributes
    ----------
    task, modality, unacquired
        What is predicted, what is measured, and what the others have instead.
    metric
        What the curves show.
    n_patients
        Patients with a known outcome.
    curves
        Strategy to its curve; random first, oracle last.
    """

    task: str
    modality: str
    unacquired: Unacquired
    metric: str
    n_patients: int
    curves: dict[str, Score]

    @property
    def keys(self) -> dict[str, str]:
        """Key columns of the tables."""
        return {"task": self.task, "modality": self.modality, "unacquired": self.unacquired}

    def above_random(self, strategy: str) -> Score:
        """Difference of a strategy's curve and the expected one of a random order."""
        return self.curves[strategy] - self.curves[RANDOM]


def follow_acquisitions(
    repeats: pd.DataFrame,
    tasks: PossibleTasks,
    modalities: Sequence[str],
    bootstrap: BootstrapParameters,
    seed: int,
) -> list[Acquisition]:
    """Follow every strategy for every task and modality that was predicted.

    Parameters
    ----------
    repeats
        All results of :func:`tcga_coherent.studies.prioritisation.experiment.predict_repeat`, with the
        column ``repeat``.
    tasks
        The tasks that were predicted.
    modalities
        Those asked for, in their order.
    bootstrap
        Samples of the patients.
    seed
        Seed of the samples and of the order of ties.
    """
    acquisitions = []
    predicted = repeats[repeats["note"] == ""]
    for task, outcomes in tasks.possible.items():
        rows = predicted[predicted["task"] == task]
        if rows.empty:
            continue
        outputs = predicted_outputs(rows)
        patients = outcomes.test.index
        counts = resample_patients(len(patients), bootstrap.repeats, seed)
        scorer = outcomes.scorer(outputs, counts)
        for name in (name for name in modalities if (rows["modality"] == name).any()):
            of_modality = rows[rows["modality"] == name]
            for unacquired in UNACQUIRED:
                curves = _curves(of_modality, patients, outputs, scorer, unacquired, seed)
                acquisitions.append(
                    Acquisition(task, name, unacquired, scorer.metric, scorer.n_patients, curves)
                )
    return acquisitions


def _curves(
    rows: pd.DataFrame,
    patients: pd.Index,
    outputs: list[str],
    scorer: Scorer,
    unacquired: Unacquired,
    seed: int,
) -> dict[str, Score]:
    before, after = (
        _values(rows, patients, prediction_columns(kind, outputs)) for kind in (unacquired, "real")
    )
    curves = {RANDOM: scorer.random(before, after)}
    for strategy in SCORED_STRATEGIES:
        priority = _values(rows, patients, [score_column(strategy, unacquired)])[..., 0]
        curves[strategy] = scorer.informed(before, after, acquisition_order(priority, seed))
    best = acquisition_order(scorer.gain(before, after), seed)
    curves[ORACLE] = scorer.informed(before, after, best)
    return curves


def _values(rows: pd.DataFrame, patients: pd.Index, columns: list[str]) -> Array:
    """Return columns of some patients, repeats x patients x columns."""
    return np.array(
        [
            of_repeat.set_index("patient_id").loc[patients, columns].to_numpy(float)
            for _, of_repeat in rows.groupby("repeat")
        ]
    )
