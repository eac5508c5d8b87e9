"""Nodes that generate without any patient; what is drawn is measured and shown, and never saved."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.cohort import read_cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.figures.drawing import Drawing, draw_reason
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.partitions import Partitions, fingerprint_checkpoints
from tcga_coherent.pipelines.privacy.attacked import load_attacked
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.privacy.generation.experiment import (
    Audited,
    compare_with_training_patients,
    summarise_unconditional,
)
from tcga_coherent.privacy.generation.figure import (
    draw_unconditional,
    project_unconditional,
)
from tcga_coherent.repeats import Stored, all_repeats, identity_of, run_repeats
from tcga_coherent.reported import ReportedByPaper

STUDY = "unconditional generation"


def measure_unconditional(
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    finished: Stored,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
    device: str,
    workers: int,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Measure how close what is generated from nothing comes to training patients.

    A repeat is a seed of the noise. This pipeline is asked for by name, and needs no permission in
    ``coherent_sampling.allow_unconditional``.
    """
    cohort, trained = load_attacked(
        latents, split, presence, single_denoisers, multi_denoisers, consensus, None,
        modalities, device,
    )  # fmt: skip
    audited = Audited(trained, cohort, sampling)
    identity = identity_of(
        "unconditional",
        *map(fingerprint_checkpoints, (single_denoisers, multi_denoisers, consensus)),
        {name: fingerprint_frame(frame) for name, frame in audited.cohort.latents.items()},
        split,
        sampling,
        parameters.unconditional,
        parameters.bootstrap,
        parameters.seed,
    )
    experiment = partial(
        compare_with_training_patients,
        audited,
        parameters.unconditional,
        parameters.bootstrap,
        parameters.seed,
    )
    repeats = range(parameters.unconditional.n_repeats)
    yield from run_repeats(experiment, repeats, identity, finished, workers, STUDY)


def tabulate_unconditional(
    repeats: Stored,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    parameters: PrivacyParameters,
    reported: ReportedByPaper,
) -> pd.DataFrame:
    """Return Table 3: what is generated from nothing against training patients."""
    cohort = read_cohort(latents, split, presence, list(parse_modalities(modalities)))
    return summarise_unconditional(
        all_repeats(repeats, STUDY), cohort, parameters.unconditional, reported.table3
    )


def draw_unconditional_figure(
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
    device: str,
) -> Drawing:
    """Draw Fig 5: rows generated from nothing among training patients, or why it cannot be drawn."""
    cohort, trained = load_attacked(
        latents, split, presence, single_denoisers, multi_denoisers, consensus, None,
        modalities, device,
    )  # fmt: skip
    audited = Audited(trained, cohort, sampling)
    try:
        projections = project_unconditional(audited, parameters.unconditional, parameters.seed)
    except CannotEvaluate as reason:
        return partial(draw_reason, str(reason))
    return partial(draw_unconditional, projections)
