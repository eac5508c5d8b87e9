"""Nodes that attack the trained models and what they generate."""

import logging
from dataclasses import replace

import pandas as pd

from tcga_coherent.cohort import Cohort, read_draws
from tcga_coherent.diffusion.completion.generation import draws_frame
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.downstream.profiles import GENERATORS as METHODS
from tcga_coherent.downstream.tasks import CLASS_TASKS
from tcga_coherent.measures.calibration import independent_sets
from tcga_coherent.pipelines.partitions import Partitions
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.privacy.attacks.attributes import infer_attributes
from tcga_coherent.privacy.attacks.distances import (
    NEAREST_RECORD,
    ON_DRAWS,
    attack_conditional_draws,
    attack_unconditional_draws,
)
from tcga_coherent.privacy.attacks.groups import match_by_cancer_type
from tcga_coherent.privacy.attacks.losses import Noising
from tcga_coherent.privacy.attacks.membership import ON_LOSSES, attack_released_models
from tcga_coherent.privacy.attacks.table import attack_lines, join_attacks, not_attacked
from tcga_coherent.privacy.generation.rows import GENERATORS
from tcga_coherent.privacy.generation.rows import generate_unconditionally as generate_from_nothing

logger = logging.getLogger(__name__)


def regenerate_complete_patients(
    cohort: Cohort,
    models: TrainedModels,
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
) -> dict[str, pd.DataFrame]:
    """Generate every modality of complete training and test patients from all their others.

    Returns
    -------
    dict
        ``<target>/<method>`` to frame, index (``patient_id``, ``draw``).
    """
    models.check(sampling)
    # As they are released, with another number of pairs.
    n_draws = parameters.attacks.nearest_records.n_draws
    config = replace(sampling, n_draws=n_draws, antithetic=True)
    patients = cohort.complete(cohort.train).append(cohort.test)
    values = latent_tensors(cohort.conditions, patients)
    drawn = {}
    for target in cohort.modalities:
        sources = tuple(name for name in cohort.modalities if name != target)
        keys = named_keys(config.seed, f"attacked {target}", list(patients))
        for method in METHODS:
            draws = models.ensemble(target, method, sources, config).draw(
                {source: values[source] for source in sources}, keys
            )
            drawn[f"{target}/{method}"] = draws_frame(
                patients, draws.latents.numpy(), cohort.latents[target].columns
            )
    return drawn


def attack_generated_patients(
    privacy_draws: Partitions,
    cohort: Cohort,
    parameters: PrivacyParameters,
) -> pd.DataFrame:
    """Compare generated modalities to training patients and to held-out ones."""
    try:
        groups = match_by_cancer_type(cohort, parameters.seed)
    except CannotEvaluate as reason:
        return not_attacked(ON_DRAWS, reason)
    draws = {
        (target, method): independent_sets(
            read_draws(
                privacy_draws,
                f"{target}/{method}",
                groups.patients,
                list(cohort.latents[target].columns),
            ),
            antithetic=True,
        )[0]
        for target in cohort.modalities
        for method in METHODS
    }
    return attack_conditional_draws(
        cohort,
        groups,
        draws,
        parameters.attacks.nearest_records,
        parameters.bootstrap,
        parameters.seed,
    )


def attack_generation_from_nothing(
    cohort: Cohort,
    models: TrainedModels,
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
) -> pd.DataFrame:
    """Compare what is generated without any source to training patients and to held-out ones.

    What is generated is not saved.
    """
    try:
        groups = match_by_cancer_type(cohort, parameters.seed)
    except CannotEvaluate as reason:
        return not_attacked([NEAREST_RECORD], reason)
    draws = {
        method: generate_from_nothing(
            models,
            cohort,
            GENERATORS[method],
            len(groups.patients),
            sampling,
            parameters.seed,
        )
        for method in METHODS
    }
    return attack_unconditional_draws(
        cohort,
        groups,
        draws,
        parameters.attacks.nearest_records,
        parameters.bootstrap,
        parameters.seed,
    )


def attack_losses(
    cohort: Cohort,
    models: TrainedModels,
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
) -> pd.DataFrame:
    """Tell training patients from test patients by the losses of the released denoisers."""
    try:
        groups = match_by_cancer_type(cohort, parameters.seed)
    except CannotEvaluate as reason:
        return not_attacked(ON_LOSSES, reason)
    membership = parameters.attacks.membership
    return attack_released_models(
        models,
        sampling,
        cohort,
        groups,
        Noising(membership.timesteps, membership.n_noises, parameters.seed),
        parameters.bootstrap,
        parameters.seed,
    )


def attack_attributes(
    privacy_draws: Partitions,
    cohort: Cohort,
    clinical: pd.DataFrame,
    parameters: PrivacyParameters,
) -> pd.DataFrame:
    """Infer cancer type and stage from generated modalities, and from their conditions alone."""
    try:
        groups = match_by_cancer_type(cohort, parameters.seed)
    except CannotEvaluate as reason:
        return not_attacked([*CLASS_TASKS], reason)
    return infer_attributes(
        cohort,
        clinical,
        groups,
        {
            (target, method): privacy_draws[f"{target}/{method}"]().groupby(level=0).mean()
            for target in cohort.modalities
            for method in METHODS
        },
        parameters.bootstrap,
        parameters.seed,
    )


def tabulate_attacks(
    generated: pd.DataFrame,
    unconditional: pd.DataFrame,
    membership: pd.DataFrame,
    references: pd.DataFrame,
    attributes: pd.DataFrame,
    parameters: PrivacyParameters,
) -> pd.DataFrame:
    """Join all attacks to one table, and say what leaks."""
    tables = [generated, unconditional, membership, references, attributes]
    table = join_attacks(tables, parameters.bootstrap.level)
    for line in attack_lines(table):
        logger.info(line)
    return table
