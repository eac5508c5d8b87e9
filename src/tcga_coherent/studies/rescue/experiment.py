"""What forests trained on whole patients still predict when modalities are missing or made up.

A Random Forest for the stage and a Random Survival Forest learn from training patients who have
every modality. They are tested on patients who lose some: left missing (ablation), or completed from
those that are left (paper, section "Data generation to mitigate predictive degradation").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass as checked_dataclass

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.forests import ForestParameters, forest_seeds
from tcga_coherent.downstream.profiles import (
    ABLATION,
    GENERATORS,
    IMPUTATIONS,
    TestProfiles,
    removal_patterns,
    training_profiles,
)
from tcga_coherent.downstream.task import Outcomes, PossibleTasks
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT
from tcga_coherent.source_sets import join_sources

STUDY = "rescue"

# What completes nothing: measured data, forests that know the cancer type alone, and forests that
# were trained to do without modalities.
REAL, CANCER_TYPE, MODALITY_DROPOUT = "real", "cancer_type", "modality_dropout"
NONE_REMOVED, ALL_REMOVED = "none", "all"

# How the draws of a generator become one prediction; all other methods give a point.
Pooling = Literal["draw", "mean_of_draws", "multiple"]
POOLINGS: tuple[Pooling, ...] = ("draw", "mean_of_draws", "multiple")
POINT = "point"

KEYS = ["task", "removed", "method", "pooling", "patient_id"]


@checked_dataclass(frozen=True, config=STRICT)
class RescueParameters:
    """The ``evaluation.rescue`` parameters.

    Attributes
    ----------
    n_draws
        Draws that the pooling ``multiple`` predicts on in each repeat. No two repeats share one, so
        that ``coherent_sampling.n_draws`` must suffice for ``evaluation.n_repeats`` times as many.
    headline_pooling
        Pooling of the generators that figures and the summary show; the tables have all.
    """

    n_draws: Annotated[int, Field(ge=1)]
    headline_pooling: Pooling


class Cell(NamedTuple):
    """What was done to the test patients before a forest saw them."""

    removed: str
    method: str
    pooling: str


@dataclass(frozen=True)
class RescueStudy:
    """Everything that the predictions of a repeat depend on, besides its number.

    Attributes
    ----------
    profiles
        Test patients, whole and completed.
    train
        Measured latents of the training patients who have every modality.
    cancer_types
        Cancer type of training and test patients as indicators.
    tasks
        What the forests learn and are tested by.
    forests, n_draws, n_repeats, seed
        Settings of the forests, draws of the pooling ``multiple``, number of repeats among which the
        draws are shared out, seed of all repeats.
    """

    profiles: TestProfiles
    train: pd.DataFrame
    cancer_types: pd.DataFrame
    tasks: PossibleTasks
    forests: ForestParameters
    n_draws: int
    n_repeats: int
    seed: int


def rescue_study(
    cohort: Cohort,
    tasks: PossibleTasks,
    profiles: TestProfiles,
    forests: ForestParameters,
    n_draws: int,
    n_repeats: int,
    seed: int,
) -> RescueStudy:
    """Collect what the repeats need.

    Parameters
    ----------
    cohort, tasks, profiles
        Latents and splits; what forests learn; test patients, whole and completed.
    forests, n_draws, n_repeats, seed
        As in :class:`RescueStudy`.

    Raises
    ------
    ValueError
        When there are too few draws for every repeat to have its own.
    """
    profiles.check_independent("evaluation.n_repeats", n_repeats)
    profiles.check_independent(
        f"evaluation.n_repeats ({n_repeats}) times the independent ones of "
        f"evaluation.rescue.n_draws ({n_draws})",
        n_repeats * _n_independent(n_draws, profiles.antithetic),
    )
    complete = cohort.complete(cohort.train)
    return RescueStudy(
        profiles,
        pd.DataFrame(training_profiles(cohort, complete), index=complete),
        pd.get_dummies(cohort.cancer_type[complete.append(cohort.test)], dtype=float),
        tasks,
        forests,
        n_draws,
        n_repeats,
        seed,
    )


def draws_of_repeat(repeat: int, n_repeats: int, n_draws: int, profiles: TestProfiles) -> list[int]:
    """Return the numbers of the draws that a repeat pools; no other repeat has any of them.

    Parameters
    ----------
    repeat, n_repeats
        Number of the repeat, and of all.
    n_draws
        Draws of each repeat. Antithetic ones come with their mirror image, so that repeats stay
        independent of each other.
    profiles
        Whose draws.

    Returns
    -------
    list of int
        The draw of the repeat's own number first.
    """
    own = [
        repeat + n_repeats * number
        for number in range(_n_independent(n_draws, profiles.antithetic))
    ]
    mirrored = [number + profiles.n_independent for number in own]
    return own + mirrored[: n_draws - len(own)]


def _n_independent(n_draws: int, antithetic: bool) -> int:
    """Return how many of the draws that a repeat pools are independent of each other."""
    return -(-n_draws // 2) if antithetic else n_draws


def predict_repeat(repeat: int, study: RescueStudy) -> pd.DataFrame:
    """Train the forests with seeds of their own and predict the test patients in every state.

    Parameters
    ----------
    repeat
        Number of the repeat: it seeds the forests and picks the draws.
    study
        Result of :func:`rescue_study`.

    Returns
    -------
    DataFrame
        One row a ``task``, ``removed`` (joined by ``+``; ``none``; ``all`` where the cancer type
        alone is known), ``method``, ``pooling`` and test patient with an outcome, with what
        :meth:`tcga_coherent.downstream.task.Outcomes.kept` says of the task.
    """
    frames = [
        pd.DataFrame(
            {
                "task": name,
                **cell._asdict(),
                "patient_id": outcomes.test.index,
                **outcomes.kept(predicted),
            }
        )
        for name, outcomes in study.tasks.possible.items()
        for cell, predicted in _predict_task(
            outcomes, forest_seeds(study.seed, repeat, name), repeat, study
        )
    ]
    if not frames:
        return pd.DataFrame(columns=KEYS)
    predictions = pd.concat(frames, ignore_index=True)
    # Few different words in many rows.
    words = predictions.select_dtypes(exclude="number").columns
    return predictions.astype(dict.fromkeys(words, "category"))


def drop_modalities(profiles: Array, sizes: list[int], seed: int) -> Array:
    """Remove a random pattern of modalities from a random half of the patients.

    A forest trained on the result learns where to send patients who miss a modality.

    Parameters
    ----------
    profiles
        patients x all dimensions.
    sizes
        Dimensions of each modality.
    seed
        Seed of patients and patterns.
    """
    rng = np.random.default_rng(seed)
    patterns = removal_patterns([str(number) for number in range(len(sizes))])
    modality = np.repeat(np.arange(len(sizes)), sizes).astype(str)
    dropped = profiles.copy()
    for row in np.flatnonzero(rng.random(len(profiles)) < 0.5):
        dropped[row, np.isin(modality, patterns[rng.integers(len(patterns))])] = np.nan
    return dropped


def _predict_task(
    outcomes: Outcomes, seeds: list[int], repeat: int, study: RescueStudy
) -> Iterator[tuple[Cell, Array]]:
    """Yield what the forests of a task predict in every cell, patients x quantities."""
    profiles, types = study.profiles, study.cancer_types
    draws = draws_of_repeat(repeat, study.n_repeats, study.n_draws, profiles)
    train, test = outcomes.train.index, outcomes.test.index
    rows = profiles.patients.get_indexer(test)
    whole = study.train.loc[train].to_numpy()
    incomplete = drop_modalities(whole, [m.shape[1] for m in profiles.real.values()], seeds[0])

    predict = outcomes.fit(whole, study.forests, seeds[1]).quantities
    predict_robustly = outcomes.fit(incomplete, study.forests, seeds[2]).quantities
    by_type = outcomes.fit(types.loc[train].to_numpy(), study.forests, seeds[3])

    measured = profiles.whole()[rows]
    yield Cell(NONE_REMOVED, REAL, POINT), predict(measured)
    yield Cell(NONE_REMOVED, MODALITY_DROPOUT, POINT), predict_robustly(measured)
    yield Cell(ALL_REMOVED, CANCER_TYPE, POINT), by_type.quantities(types.loc[test].to_numpy())
    for removed in profiles.patterns:
        name = join_sources(removed)
        sets = {
            Cell(name, method, pooling): values[:, rows]
            for method, pooling, values in _completions(profiles, removed, draws)
        }
        # One call for all of them: a forest of many trees takes its time to start.
        stacked = np.concatenate(list(sets.values()))
        predicted = predict(stacked.reshape(-1, stacked.shape[-1]))
        predicted = predicted.reshape(*stacked.shape[:2], -1)
        ends = np.cumsum([len(values) for values in sets.values()])
        for cell, part in zip(sets, np.split(predicted, ends[:-1]), strict=True):
            yield cell, part.mean(axis=0)
        ablated = profiles.completed(removed, ABLATION)[rows]
        yield Cell(name, MODALITY_DROPOUT, POINT), predict_robustly(ablated)


def _completions(
    profiles: TestProfiles, removed: tuple[str, ...], draws: list[int]
) -> Iterator[tuple[str, str, Array]]:
    """Yield method, pooling and the completed profiles, sets x patients x all dimensions."""
    for method in (ABLATION, *IMPUTATIONS):
        yield method, POINT, profiles.completed(removed, method)[None]
    # The single draw is the first of the several.
    for method in GENERATORS:
        several = np.stack([profiles.completed(removed, method, draw) for draw in draws])
        yield method, "draw", several[:1]
        yield method, "mean_of_draws", profiles.completed(removed, method)[None]
        yield method, "multiple", several
