"""What counterfactuals are made from: who is asked about, with which versions and forests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass as validated_dataclass

from tcga_coherent.baselines.models import standard_normal_draws
from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.profiles import TestProfiles, training_profiles
from tcga_coherent.downstream.task import Outcomes, PossibleTasks
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT
from tcga_coherent.source_sets import partition_name


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
    outcomes
        What is known of them.
    """

    features: Array
    outcomes: Outcomes


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

    training: Mapping[str, TrainingSet]
    patients: pd.Index
    real: Mapping[str, Array]
    versions: Mapping[str, Mapping[str, Array]]
    n_counterfactuals: int
    obstacles: Mapping[tuple[str, str], str]


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
    tasks: PossibleTasks,
    profiles: TestProfiles,
    asked: Sequence[str],
    n_counterfactuals: int,
    seed: int,
) -> CounterfactualInputs:
    """Gather what the repeats need, and the reasons why some tasks and modalities have none.

    Parameters
    ----------
    cohort
        Latents and splits.
    tasks
        What forests learn and are tested by.
    profiles
        Measured test patients, their draws and baseline predictions.
    asked
        Result of :func:`asked_modalities`.
    n_counterfactuals
        Versions that a repeat takes.
    seed
        Seed of the noise around the predictions of the simple method.
    """
    present = [name for name in asked if name in profiles.real]
    reasons = dict(tasks.reasons)
    available = profiles.n_independent
    if available < n_counterfactuals:
        reason = (
            f"{n_counterfactuals} counterfactuals need as many independent draws, there are "
            f"{available}: raise coherent_sampling.n_draws or lower "
            f"evaluation.counterfactual.n_counterfactuals"
        )
        reasons = dict.fromkeys([*tasks.possible, *tasks.reasons], reason)
    obstacles: dict[tuple[str, str], str] = {}
    for task in (*tasks.possible, *tasks.reasons):
        for name in asked:
            if name not in present:
                obstacles[task, name] = f"the cohort has no {name}"
            elif task in reasons:
                obstacles[task, name] = reasons[task]
    training = {
        task: TrainingSet(training_profiles(cohort, outcomes.train.index), outcomes)
        for task, outcomes in tasks.possible.items()
        if task not in reasons
    }
    versions = {name: _versions(profiles, name, seed) for name in present} if training else {}
    return CounterfactualInputs(
        training, profiles.patients, profiles.real, versions, n_counterfactuals, obstacles
    )


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
