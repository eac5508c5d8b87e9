"""Nodes that train on known halves of the training patients, and attack these trainings."""

import logging
from collections.abc import Iterator
from functools import partial

import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.stored_models import load_consensus
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.pipelines.partitions import Partitions
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.privacy.attacks.table import not_attacked
from tcga_coherent.privacy.known_members.references import (
    attack_released_with_references,
    attack_with_references,
    note_short_trainings,
)
from tcga_coherent.privacy.known_members.shadows import (
    SELECTED,
    ShadowSettings,
    complete_losses,
    run_shadow,
)
from tcga_coherent.privacy.known_members.utility import extract_canaries, weigh_privacy_and_utility
from tcga_coherent.repeats import Stored, all_repeats, identity_of, run_repeats

logger = logging.getLogger(__name__)

STUDY = "trainings on halves"


def train_on_halves(
    cohort: Cohort,
    split: pd.DataFrame,
    consensus: Partitions,
    finished: Stored,
    training: TrainingConfig,
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
    device: str,
    workers: int,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Train on halves of the training patients and record what models give away.

    A repeat is a training; the models themselves are not kept.
    """
    settings = ShadowSettings(
        training,
        sampling,
        parameters.attacks.shadows,
        parameters.attacks.membership,
        load_consensus(consensus),
        parameters.seed,
        device,
    )
    prints = {name: fingerprint_frame(frame) for name, frame in cohort.conditions.items()}
    identity = identity_of("halves", prints, split, settings)
    trainings = range(parameters.attacks.shadows.n_trainings)
    experiment = partial(run_shadow, cohort, settings)
    yield from run_repeats(experiment, trainings, identity, finished, workers, STUDY)


def attack_with_halves(
    repeats: Stored,
    cohort: Cohort,
    models: TrainedModels,
    training: TrainingConfig,
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Attack each training with the others as reference, and the released models with all.

    Returns
    -------
    attacks
        Rows of the table of attacks.
    utility
        Privacy and usefulness over the length of training.
    """
    shadows = all_repeats(repeats, STUDY)
    released = complete_losses(
        models, sampling, cohort, parameters.attacks.membership, parameters.seed
    )
    n_candidates = parameters.attacks.shadows.canaries.n_alternatives + 1
    bootstrap, seed = parameters.bootstrap, parameters.seed
    try:
        by_references = attack_released_with_references(shadows, released, cohort, bootstrap, seed)
    except CannotEvaluate as reason:
        by_references = not_attacked(["lira_offline"], reason)
    attacks = [
        attack_with_references(shadows, cohort, bootstrap, seed),
        by_references,
        extract_canaries(shadows, n_candidates, SELECTED, bootstrap, seed),
    ]
    utility = weigh_privacy_and_utility(shadows, cohort, n_candidates, bootstrap, seed)
    steps = parameters.attacks.shadows.gradient_steps(training)
    return note_short_trainings(pd.concat(attacks, ignore_index=True), steps, training), utility
