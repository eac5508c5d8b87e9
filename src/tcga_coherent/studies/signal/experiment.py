"""Whether generated modalities keep what classifiers read: forests trained on measured data.

A Random Forest of one modality and task learns from measured training patients. It is tested on the
test patients' measured modality and on the one generated from all others (paper, section
"Preservation of predictive signals in generated data").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.forests import ForestParameters, fit_classifier
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.downstream.profiles import GENERATORS, IMPUTATIONS, TestProfiles
from tcga_coherent.downstream.tasks import CLASS_TASKS
from tcga_coherent.measures.fidelity import Array

STUDY = "signal"
# What a classifier is shown: a method and which of its outputs.
REAL = ("real", "real")
INPUTS = (
    REAL,
    *((method, "prediction") for method in IMPUTATIONS),
    *((method, kind) for method in GENERATORS for kind in ("draw", "mean_of_draws")),
)
# Guesses that see no data: classes as frequent as in training, or always the most frequent.
CHANCE = (("stratified", "guess"), ("majority", "guess"))
# What a cohort gives in which no task can be judged.
NO_PREDICTIONS = pd.DataFrame(
    columns=["task", "modality", "method", "input", "patient_id", "predicted"], dtype=str
)


@dataclass(frozen=True)
class SignalCell:
    """All that one classifier is trained and tested with.

    Attributes
    ----------
    task, modality
        What it predicts, and from which latents.
    train_labels, test_labels
        Class of the training patients who have the modality and a label, and of the test patients.
    train
        Measured latents of the training patients, patients x dimensions.
    test
        Method and input of :data:`INPUTS` to test latents, patients x dimensions; for ``draw``
        independent draws x patients x dimensions.
    """

    task: str
    modality: str
    train_labels: pd.Series
    test_labels: pd.Series
    train: Array
    test: Mapping[tuple[str, str], Array]


def labelled_patients(
    task: str, modality: str, cohort: Cohort, clinical: pd.DataFrame
) -> tuple[pd.Series, pd.Series]:
    """Return the labels that a modality's classifier is trained and tested with.

    Parameters
    ----------
    task, modality
        What is predicted, and from which latents.
    cohort, clinical
        Latents and splits; clinical table.

    Returns
    -------
    train, test
        Label of the training patients who have the modality, and of the test patients.

    Raises
    ------
    CannotEvaluate
        When there is nothing to learn or to test.
    """
    measured = cohort.train.intersection(cohort.latents[modality].index)
    known = CLASS_TASKS[task].outcomes(cohort, clinical, measured)
    return known.train, known.test


def signal_cells(
    cohort: Cohort, clinical: pd.DataFrame, profiles: TestProfiles, n_repeats: int
) -> Iterator[SignalCell]:
    """Yield what each task and modality is judged with; those that cannot be are left out.

    Parameters
    ----------
    cohort, clinical
        Latents and splits; clinical table.
    profiles
        Measured and generated latents of the test patients.
    n_repeats
        Number of repeats, each of which takes another draw.

    Raises
    ------
    ValueError
        When there are fewer independent draws than repeats.
    """
    profiles.check_independent("evaluation.n_repeats", n_repeats)
    for task in CLASS_TASKS:
        for modality in cohort.modalities:
            try:
                train, test = labelled_patients(task, modality, cohort, clinical)
            except CannotEvaluate:
                # Its reason stands in the table, which asks for the same patients.
                continue
            latents = cohort.latents[modality].loc[train.index].to_numpy(float)
            rows = profiles.patients.get_indexer(test.index)
            inputs = {key: _test_latents(profiles, modality, *key)[..., rows, :] for key in INPUTS}
            yield SignalCell(task, modality, train, test, latents, inputs)


def predict_repeat(
    repeat: int, cells: list[SignalCell], forests: ForestParameters, seed: int
) -> pd.DataFrame:
    """Train each classifier with a seed of its own and predict every input.

    Parameters
    ----------
    repeat
        Number of the repeat: it seeds the forests and picks the draw.
    cells
        Results of :func:`signal_cells`.
    forests, seed
        Settings of the forests; seed of all repeats.

    Returns
    -------
    DataFrame
        ``task``, ``modality``, ``method``, ``input``, ``patient_id``, ``predicted``: one row a test
        patient and input.
    """
    frames = []
    for number, cell in enumerate(cells):
        sequence = np.random.SeedSequence([seed, repeat, number])
        forest_seed, guess_seed = (int(state) for state in sequence.generate_state(2))
        forest = fit_classifier(cell.train, cell.train_labels, forests, forest_seed)
        predicted = {
            key: forest.predict(latents[repeat] if key[1] == "draw" else latents)
            for key, latents in cell.test.items()
        }
        predicted |= _guesses(cell.train_labels, len(cell.test_labels), guess_seed)
        for (method, kind), classes in predicted.items():
            frames.append(
                pd.DataFrame(
                    {
                        "task": cell.task,
                        "modality": cell.modality,
                        "method": method,
                        "input": kind,
                        "patient_id": cell.test_labels.index,
                        "predicted": classes,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True) if frames else NO_PREDICTIONS


def _test_latents(profiles: TestProfiles, modality: str, method: str, kind: str) -> Array:
    """Latents of a modality, generated from all the others."""
    if kind == "real":
        return profiles.real[modality]
    if kind == "draw":
        return profiles.independent_draws(modality, (modality,), method)
    return profiles.generated(modality, (modality,), method)


def _guesses(train: pd.Series, n_test: int, seed: int) -> dict[tuple[str, str], np.ndarray]:
    shares = train.value_counts(normalize=True)
    guessed = np.random.default_rng(seed).choice(
        shares.index.to_numpy(object), size=n_test, p=shares.to_numpy()
    )
    always = np.full(n_test, shares.index[0], dtype=object)
    return dict(zip(CHANCE, (guessed, always), strict=True))
