"""Trainings whose members are known: halves of the training patients, and canaries.

Likelihood-ratio attacks need models that did, and models that did not learn from a patient. The
training patients are split into random halves and a model is trained on each with the recipe of the
released ones, several times over. Every training is then attacked with the others as reference, and
every patient is a member of half of them: encoder, cancer types and completeness are the same on
both sides, so that what is found is memory of the denoisers alone.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig
from tcga_coherent.diffusion.denoiser import StackedDenoiser
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.latents import code_frames, latent_tensors
from tcga_coherent.diffusion.linear_gaussian import fit_every_expert
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.consensus import ErrorMoments
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.tasks import (
    DenoiserTask,
    multi_tasks,
    single_tasks,
    told_beside_latents,
)
from tcga_coherent.diffusion.training.trainer import (
    StackTrainer,
    TrainedDenoiser,
    group_by_shape,
    with_whole_conditions,
)
from tcga_coherent.measures.calibration import crps, independent_sets, mean_over_sets
from tcga_coherent.measures.fidelity import r2
from tcga_coherent.privacy.attacks.losses import Losses, Noising, model_losses
from tcga_coherent.privacy.attacks.parameters import MembershipParameters, ShadowParameters
from tcga_coherent.privacy.known_members.canaries import implant, make_canaries, measure_canaries

SELECTED = "selected"
LOSS, CANARY, UTILITY = "loss", "canary", "utility"


@dataclass(frozen=True)
class ShadowSettings:
    """All that a shadow training depends on beside the cohort and its number.

    Attributes
    ----------
    training
        Recipe of the released models.
    sampling
        How draws are made.
    shadows, membership
        Parameters of the attacks.
    errors
        Target to the error moments of the released denoisers: the consensus weights, which were
        learned on validation patients and know no member.
    seed, device
        Seed, and where to train.
    """

    training: TrainingConfig
    sampling: SamplingConfig
    shadows: ShadowParameters
    membership: MembershipParameters
    errors: Mapping[str, ErrorMoments]
    seed: int
    device: str


def run_shadow(cohort: Cohort, settings: ShadowSettings, number: int) -> pd.DataFrame:
    """Train on one half of the training patients and record what the models give away.

    Parameters
    ----------
    cohort
        Latents and splits.
    settings
        Parameters.
    number
        Number of the training; 2 k and 2 k + 1 are on complementary halves.

    Returns
    -------
    DataFrame
        Rows of three kinds, each for every ``checkpoint`` (a number of steps, or ``selected`` on
        validation as the released models are): ``loss``, a row a model and patient, with
        ``member`` (missing for test patients) and a column a timestep; ``canary``, see
        :func:`tcga_coherent.privacy.known_members.canaries.measure_canaries`; ``utility``, a row a method and
        target, with ``r2_of_mean`` and ``crps`` of test patients.
    """
    shadows = settings.shadows
    members = half_of_training(cohort, number, settings.seed)
    canary_seeds = (settings.seed + 2 * number, settings.seed + 2 * number + 1)
    own, others = (make_canaries(cohort, shadows.canaries, seed) for seed in canary_seeds)
    others = others.without_copies()
    split = pd.Series("unused", index=cohort.cancer_type.index)
    split[members], split[cohort.val] = "train", "val"
    conditions, split = implant(cohort.conditions, split, own)
    latents = {name: frame[cohort.latents[name].columns] for name, frame in conditions.items()}
    steps = shadows.gradient_steps(settings.training)
    config = replace(settings.training, seed=settings.training.seed + 1 + number)
    sampling = replace(
        settings.sampling,
        n_draws=shadows.n_draws,
        n_steps=shadows.n_steps,
        antithetic=True,
        recalibrate=False,
        temperature=1.0,
    )
    recorded: dict[str, dict[str, dict[str, LoadedDenoiser]]] = {}
    told = told_beside_latents(config, conditions)
    for family, tasks in (
        ("single", single_tasks(latents, split, None, told)),
        ("multi", multi_tasks(latents, split, None, told)),
    ):
        for checkpoint, denoiser in train_recorded(tasks, config, steps, settings.device):
            families = recorded.setdefault(checkpoint, {"single": {}, "multi": {}})
            families[family][denoiser.name] = denoiser
    train = split.index[split == "train"]
    codes = code_frames(latents, conditions)
    linear = {
        expert.name: expert
        for target in cohort.modalities
        for expert in fit_every_expert(
            target, latents[target], codes, train, cohort.source_sets(target)
        )
        if sampling.linear_experts
    }
    parts = []
    for checkpoint, families in recorded.items():
        models = TrainedModels(
            families["single"], families["multi"], settings.errors, linear=linear
        )
        canaries = [
            measure_canaries(models, some, sampling, shadows.canaries, settings.seed)
            for some in (own, others)
        ]
        parts += [
            _losses(models, cohort, members, settings).assign(
                kind_of_row=LOSS, checkpoint=checkpoint
            ),
            pd.concat(canaries).assign(kind_of_row=CANARY, checkpoint=checkpoint),
            _utility(models, cohort, sampling).assign(kind_of_row=UTILITY, checkpoint=checkpoint),
        ]
    return pd.concat(parts, ignore_index=True)


def half_of_training(cohort: Cohort, number: int, seed: int) -> pd.Index:
    """Return a random half of the training patients, alike in cancer types and modalities.

    Parameters
    ----------
    cohort
        Latents and splits.
    number
        Trainings 2 k and 2 k + 1 have complementary halves.
    seed
        Seed of the halves.
    """
    random = np.random.default_rng([seed, number // 2])
    patients = cohort.train[random.permutation(len(cohort.train))]
    present = [patients.isin(frame.index) for frame in cohort.latents.values()]
    strata = pd.DataFrame(np.array(present).T, index=patients)
    strata["cancer_type"] = cohort.cancer_type[patients]
    # Strata of an odd number give their last patient to one half or the other at random.
    place = strata.groupby(list(strata.columns)).cumcount()
    first = (
        strata.groupby(list(strata.columns))
        .ngroup()
        .map(lambda stratum: np.random.default_rng([seed, number // 2, stratum]).integers(2))
    )
    return patients[((place + first + number) % 2 == 0).to_numpy()]


def train_recorded(
    tasks: list[DenoiserTask], config: TrainingConfig, steps: tuple[int, ...], device: str
) -> Iterator[tuple[str, LoadedDenoiser]]:
    """Train denoisers and yield those at the wanted steps, and those that validation selects.

    Parameters
    ----------
    tasks
        What to learn.
    config
        Recipe; its length is that of `steps`, and no model stops early.
    steps
        Gradient steps at which models are recorded, in rising order.
    device
        The parameter ``compute.device``.

    Yields
    ------
    checkpoint
        Number of steps, or ``selected``.
    denoiser
        One model.
    """
    validation = replace(config.validation, every=math.gcd(*steps), patience=max(steps))
    config = replace(config, max_steps=max(steps), validation=validation)
    for shape, group in group_by_shape(tasks, config).items():
        trainer = StackTrainer(group, shape, config, resolve_device(device))
        for _ in trainer.train():
            if trainer.step in steps:
                weights = trainer.average.state_dict()
                latest = trainer.history[-len(group) :]
                for m, task in enumerate(group):
                    own = {k: v[m : m + 1].cpu().numpy() for k, v in weights.items()}
                    score, mse = latest[m].energy_score, latest[m].mse
                    recorded = TrainedDenoiser(task, shape, own, score, mse, trainer.step)
                    yield str(trainer.step), _loaded(recorded, trainer)
        for trained in trainer.results():
            yield SELECTED, _loaded(trained, trainer)


def _loaded(trained: TrainedDenoiser, trainer: StackTrainer) -> LoadedDenoiser:
    whole = with_whole_conditions(trained)
    network = StackedDenoiser(1, whole.shape).to(trainer.device)
    network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in whole.weights.items()})
    task = whole.task
    return LoadedDenoiser(
        task.name, task.target, task.sources, network.eval(), trainer.process, whole.mse
    )


def complete_losses(
    models: TrainedModels,
    sampling: SamplingConfig,
    cohort: Cohort,
    parameters: MembershipParameters,
    seed: int,
) -> dict[tuple[str, str, str], Losses]:
    """Return the losses of all complete training patients, and then of the test patients.

    Parameters
    ----------
    models
        Trained denoisers.
    sampling
        Parameters: weights and experts of the ensemble.
    cohort
        Latents and splits.
    parameters, seed
        Noise.
    """
    patients = cohort.complete(cohort.train).append(cohort.test)
    noising = Noising(parameters.timesteps, parameters.n_noises, seed)
    latents, given = (
        latent_tensors(frames, patients) for frames in (cohort.latents, cohort.conditions)
    )
    return model_losses(models, sampling, latents, given, noising)


def _losses(
    models: TrainedModels, cohort: Cohort, members: pd.Index, settings: ShadowSettings
) -> pd.DataFrame:
    patients = cohort.complete(cohort.train).append(cohort.test)
    member = pd.Series(patients.isin(members), index=patients, dtype="boolean")
    member[cohort.test] = pd.NA
    parameters = settings.membership
    columns = [f"t{timestep}" for timestep in parameters.timesteps]
    losses = complete_losses(models, settings.sampling, cohort, parameters, settings.seed)
    return pd.concat(
        [
            pd.DataFrame(values, columns=columns).assign(
                method=method,
                target=target,
                source=source,
                patient_id=patients,
                member=member.to_numpy(),
            )
            for (method, target, source), values in losses.items()
        ],
        ignore_index=True,
    )


def _utility(models: TrainedModels, cohort: Cohort, sampling: SamplingConfig) -> pd.DataFrame:
    values = latent_tensors(cohort.conditions, cohort.test)
    rows = []
    for target in cohort.modalities:
        sources = tuple(name for name in cohort.modalities if name != target)
        keys = named_keys(sampling.seed, target, list(cohort.test))
        for method in ("multi", "coherent"):
            drawn = models.ensemble(target, method, sources, sampling).draw(
                {source: values[source] for source in sources}, keys
            )
            draws = drawn.latents.transpose(0, 1).numpy()
            truth = cohort.truth(target)
            sets = independent_sets(draws, antithetic=True)
            rows.append(
                {
                    "method": method,
                    "target": target,
                    "r2_of_mean": r2(truth, draws.mean(axis=0)),
                    "crps": mean_over_sets(crps, truth, sets),
                }
            )
    return pd.DataFrame(rows)
