"""Real patients, and the same as each method generates them.

In the space ``all``, a generated patient is every modality generated from all others and put side by
side; every modality is a space of its own besides.
"""

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tcga_coherent.baselines.predictions import read_baseline
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import Cohort, Partitions, read_draws
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import (
    generative_methods,
    partition_name,
    source_sets,
)

logger = logging.getLogger(__name__)

EVERY_MODALITY = "all"
REAL, TRAIN = "real", "train"

Reading = Literal["measured", "draw", "mean"]


@dataclass(frozen=True)
class PatientSet:
    """Patients in one space, one for each test patient.

    Attributes
    ----------
    name
        ``real`` (the test patients as measured), ``train`` (other real patients: what a perfect
        generator would reach) or the method that generated the test patients.
    reading
        ``measured``; ``draw``, the first one; or ``mean``, of all draws or as predicted.
    points
        Patients x dimensions.
    types
        Cancer type of each row.
    """

    name: str
    reading: Reading
    points: Array
    types: np.ndarray

    @property
    def is_drawn(self) -> bool:
        """Whether a figure shows it: what claims to be patients, not means of such."""
        return self.name != TRAIN and self.reading != "mean"


def patient_sets(
    test_draws: Partitions, baseline_predictions: Partitions, cohort: Cohort, seed: int
) -> dict[str, list[PatientSet]]:
    """Collect real and generated patients.

    Parameters
    ----------
    test_draws, baseline_predictions
        ``<target>/<method>/<source+source>`` to a function that loads its frame.
    cohort
        Measured latents and splits.
    seed
        Seed of the choice of training patients.

    Returns
    -------
    dict
        Each space to its sets: ``real``, ``train`` (as many complete training patients as there are
        test patients; none where there are fewer, with whom a set would be another size and its
        scores not comparable), one draw of each method that generates from all other modalities, the means
        of their draws, and the baselines' predictions.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort, or no training patient is complete.
    """
    others = _some_training_patients(cohort, seed)
    blocks: dict[tuple[str, Reading], dict[str, Array]] = {}
    for target in cohort.modalities:
        sources = source_sets(target, cohort.modalities)[-1]
        dimensions = list(cohort.latents[target].columns)
        made: dict[tuple[str, Reading], Array] = {
            (REAL, "measured"): cohort.truth(target),
        }
        if not others.empty:
            made[TRAIN, "measured"] = cohort.latents[target].loc[others].to_numpy(float)
        generated = {
            method: read_draws(
                test_draws, partition_name(target, method, sources), cohort.test, dimensions
            )
            for method in generative_methods(sources)
        }
        made |= {(method, "draw"): draws[0] for method, draws in generated.items()}
        made |= {(method, "mean"): draws.mean(axis=0) for method, draws in generated.items()}
        made |= {
            (method, "mean"): read_baseline(
                baseline_predictions,
                partition_name(target, method, sources),
                cohort.test,
                dimensions,
            ).mean
            for method in BASELINES
        }
        for key, values in made.items():
            blocks.setdefault(key, {})[target] = values
    types = {name: cohort.cancer_type[cohort.test].to_numpy(str) for name, _ in blocks}
    types[TRAIN] = cohort.cancer_type[others].to_numpy(str)
    spaces = {EVERY_MODALITY: cohort.modalities} | {name: [name] for name in cohort.modalities}
    return {
        space: [
            PatientSet(name, reading, np.hstack([own[member] for member in members]), types[name])
            for (name, reading), own in blocks.items()
        ]
        for space, members in spaces.items()
    }


def _some_training_patients(cohort: Cohort, seed: int) -> pd.Index:
    """Choose as many complete training patients as there are test patients, none of too few."""
    train = cohort.complete(cohort.train)
    if train.empty:
        raise CannotEvaluate("no training patient has every modality")
    if len(train) < len(cohort.test):
        logger.warning(
            "Fewer complete training patients (%d) than test patients (%d): generated patients are "
            "not compared with training patients",
            len(train),
            len(cohort.test),
        )
        return train[:0]
    chosen = np.random.default_rng(seed).choice(len(train), len(cohort.test), replace=False)
    return train[np.sort(chosen)]
