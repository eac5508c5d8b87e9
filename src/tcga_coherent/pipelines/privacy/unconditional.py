"""Nodes that generate without any patient; what is drawn is measured and shown, and never saved."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.figures.drawing import Drawing, draw_reason
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
    cohort: Cohort,
    models: TrainedModels,
    split: pd.DataFrame,
    finished: Stored,
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
    workers: int,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Measure how close what is generated from nothing comes to training patients.

    A repeat is a seed of the noise. This pipeline is asked for by name, and needs no permission in
    ``coherent_sampling.allow_unconditional``.
    """
    audited = Audited(models, cohort, sampling)
    identity = identity_of(
        "unconditional",
        *models.identity.values(),
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
    cohort: Cohort,
    parameters: PrivacyParameters,
    reported: ReportedByPaper,
) -> pd.DataFrame:
    """Return Table 3: what is generated from nothing against training patients."""
    return summarise_unconditional(
        all_repeats(repeats, STUDY), cohort, parameters.unconditional, reported.table3
    )


def draw_unconditional_figure(
    cohort: Cohort,
    models: TrainedModels,
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
) -> Drawing:
    """Draw Fig 5: rows generated from nothing among training patients, or why it cannot be drawn."""
    audited = Audited(models, cohort, sampling)
    try:
        projections = project_unconditional(audited, parameters.unconditional, parameters.seed)
    except CannotEvaluate as reason:
        return partial(draw_reason, str(reason))
    return partial(draw_unconditional, projections)
