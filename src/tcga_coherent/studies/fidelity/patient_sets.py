"""Real patients, and the same as each method generates them.

In the space ``all``, a generated patient is every modality generated from all others and put side by
side; every modality is a space of its own besides.
"""

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import FEWEST_PATIENTS, Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import generative_methods

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


def patient_sets(held_out: HeldOut, seed: int) -> dict[str, list[PatientSet]]:
    """Collect real and generated patients.

    Parameters
    ----------
    held_out
        Draws and predictions of the test patients.
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
    cohort = held_out.cohort
    if len(cohort.test) < FEWEST_PATIENTS:
        raise CannotEvaluate("fewer than two test patients have every modality")
    others = _some_training_patients(cohort, seed)
    blocks: dict[tuple[str, Reading], dict[str, Array]] = {}
    for target in cohort.modalities:
        sources = held_out.others(target)
        made: dict[tuple[str, Reading], Array] = {(REAL, "measured"): cohort.truth(target)}
        if not others.empty:
            made[TRAIN, "measured"] = cohort.latents[target].loc[others].to_numpy(float)
        drawn = {
            method: held_out.draws(target, method, sources, cohort.test)
            for method in generative_methods(sources)
        }
        made |= {(method, "draw"): draws[0] for method, draws in drawn.items()}
        made |= {(method, "mean"): draws.mean(axis=0) for method, draws in drawn.items()}
        for method in BASELINES:
            made[method, "mean"] = held_out.prediction(target, method, sources, cohort.test).mean
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
