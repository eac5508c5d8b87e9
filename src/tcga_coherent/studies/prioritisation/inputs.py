"""What counterfactuals are made from: who is asked about, with which versions and forests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass as validated_dataclass

from tcga_coherent.baselines.models import standard_normal_draws
from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.outcomes import (
    CannotEvaluate,
    check_classes,
    check_survival,
    class_labels,
    survival_outcomes,
)
from tcga_coherent.downstream.profiles import TestProfiles, training_profiles
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT
from tcga_coherent.source_sets import partition_name
from tcga_coherent.studies.prioritisation.models import TASKS, Task


@validated_dataclass(frozen=True, config=STRICT)
class CounterfactualParameters:
    """Whom to measure a missing modality for.

    Attributes
    ----------
    n_counterfactuals
        Versions of a patient's missing modality; the paper has 10.
    modalities
        Modalities to prioritise, or None for all.
    """

    n_counterfactuals: Annotated[int, Field(ge=2)]
    modalities: Annotated[tuple[str, ...], Field(min_length=1)] | None = None


@dataclass(frozen=True)
class TrainingSet:
    """What the forest of a task learns from.

    Attributes
    ----------
    features
        Complete training patients x dimensions of all modalities.
    target
        Labels, or the outcomes of :func:`tcga_coherent.downstream.outcomes.survival_outcomes`.
    """

    features: Array
    target: Any


@dataclass(frozen=True)
class CounterfactualInputs:
    """All that a repeat depends on besides its seed.

    Attributes
    ----------
    training
        Task to its training set; tasks that cannot be evaluated are left out.
    patients
        The test patients.
    real
        Modality to measured latents, patients x dimensions.
    versions
        Modality to what made them to versions x patients x dimensions, independent of each other.
    n_counterfactuals
        Versions that a repeat takes.
    obstacles
        Task and modality to the reason why they cannot be evaluated.
    """

    training: Mapping[Task, TrainingSet]
    patients: pd.Index
    real: Mapping[str, Array]
    versions: Mapping[str, Mapping[str, Array]]
    n_counterfactuals: int
    obstacles: Mapping[tuple[Task, str], str]


def asked_modalities(parameters: CounterfactualParameters, known: Iterable[str]) -> list[str]:
    """Return the modalities to prioritise, in the order in which they are named.

    Parameters
    ----------
    parameters
        Names, or None for all.
    known
        Names in the ``modalities`` parameters, also of modalities that are switched off.

    Raises
    ------
    ValueError
        When a name is not among `known`.
    """
    everything = list(known)
    asked = list(dict.fromkeys(parameters.modalities or everything))
    unknown = [name for name in asked if name not in everything]
    if unknown:
        raise ValueError(
            f"evaluation.counterfactual.modalities names {', '.join(unknown)}, but the parameter "
            f"modalities has only {', '.join(everything)}."
        )
    return asked


def counterfactual_inputs(
    cohort: Cohort,
    clinical: pd.DataFrame,
    profiles: TestProfiles,
    asked: Sequence[str],
    n_counterfactuals: int,
    seed: int,
) -> CounterfactualInputs:
    """Gather what the repeats need, and the reasons why some tasks and modalities have none.

    Parameters
    ----------
    cohort, clinical
        Latents and splits; stage and survival.
    profiles
        Measured test patients, their draws and baseline predictions.
    asked
        Result of :func:`asked_modalities`.
    n_counterfactuals
        Versions that a repeat takes.
    seed
        Seed of the noise around the predictions of the simple method.
    """
    training: dict[Task, TrainingSet] = {}
    obstacles: dict[tuple[Task, str], str] = {}
    available = profiles.n_independent
    present = [name for name in asked if name in profiles.real]
    for task in TASKS:
        for name in asked:
            if name not in present:
                obstacles[task, name] = f"the cohort has no {name}"
        try:
            if available < n_counterfactuals:
                raise CannotEvaluate(
                    f"{n_counterfactuals} counterfactuals need as many independent draws, there are "
                    f"{available}: raise coherent_sampling.n_draws or lower "
                    f"evaluation.counterfactual.n_counterfactuals"
                )
            training[task] = training_set(task, cohort, clinical)
        except CannotEvaluate as reason:
            obstacles.update({(task, name): str(reason) for name in present})
    versions = {name: _versions(profiles, name, seed) for name in present} if training else {}
    return CounterfactualInputs(
        training, profiles.patients, profiles.real, versions, n_counterfactuals, obstacles
    )


def training_set(task: Task, cohort: Cohort, clinical: pd.DataFrame) -> TrainingSet:
    """Return the complete training patients with a known outcome.

    Raises
    ------
    CannotEvaluate
        When there is nothing to learn or nothing to test.
    """
    complete = cohort.complete(cohort.train)
    if complete.empty:
        raise CannotEvaluate("no training patient has all modalities")
    target: pd.Series | pd.DataFrame
    if task == "stage":
        labels = class_labels(task, cohort, clinical)
        target = labels[labels.index.isin(complete)]
        check_classes(task, target, labels[labels.index.isin(cohort.test)])
    else:
        target = survival_outcomes(clinical, complete)
        check_survival(target, survival_outcomes(clinical, cohort.test))
    return TrainingSet(training_profiles(cohort, target.index), target)


def _versions(profiles: TestProfiles, name: str, seed: int) -> dict[str, Array]:
    others = [other for other in profiles.modalities if other != name]
    simple = profiles.baselines[partition_name(name, STRONGEST, others)]
    noise = standard_normal_draws(
        profiles.patients, profiles.n_independent, simple.mean.shape[1], seed
    )
    return {
        **{by: profiles.independent_draws(name, (name,), by) for by in ("coherent", "multi")},
        STRONGEST: simple.mean + simple.noise_sd * noise,
    }
