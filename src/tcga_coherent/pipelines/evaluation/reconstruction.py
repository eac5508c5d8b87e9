"""Nodes of reconstruction: Table 1, by cancer type, and in the space of features."""

import logging
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.cohort import Partitions
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.held_out import read_held_out
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import join_rows
from tcga_coherent.studies.reconstruction.by_type import by_type_lines, reconstruction_by_type
from tcga_coherent.studies.reconstruction.by_type_figure import (
    draw_reconstruction_by_type,
    draw_source_sets_by_type,
)
from tcga_coherent.studies.reconstruction.decoded import (
    Decoder,
    decode_target,
    decoded_lines,
    decoded_rows,
)
from tcga_coherent.studies.reconstruction.decoded_features import (
    best_and_worst_features,
    correlations_by_method,
)
from tcga_coherent.studies.reconstruction.decoded_figure import draw_decoded
from tcga_coherent.studies.reconstruction.figure import draw_reconstruction
from tcga_coherent.studies.reconstruction.table import summary_lines, table1

logger = logging.getLogger(__name__)


def compare_reconstructions(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Score all methods on all targets and sources: Table 1."""
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, sampling.antithetic
    )
    table = table1(held_out, parameters.bootstrap, parameters.reported_by_paper, parameters.seed)
    for line in summary_lines(table):
        logger.info(line)
    if (table["nominal_90"] < 0.9).any():
        logger.warning(
            "%d draws a patient reach no 90 %% interval: coverage_90 is that of their range, to be "
            "compared with nominal_90 = %.2f. Draw at least 19, or 38 antithetic ones.",
            table["n_draws"].min(),
            table["nominal_90"].min(),
        )
    return table


def draw_reconstruction_figure(table: pd.DataFrame, modalities: dict[str, Any]) -> Drawing:
    """Draw Table 1."""
    labels = {name: config.label for name, config in parse_modalities(modalities).items()}
    return partial(draw_reconstruction, table, labels)


def compare_by_type(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Score all methods on all targets and sources within each cancer type."""
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, sampling.antithetic
    )
    table = reconstruction_by_type(
        held_out, parameters.bootstrap, parameters.reconstruction_by_type, parameters.seed
    )
    for line in by_type_lines(table):
        logger.info(line)
    return table


def draw_by_type_figures(
    table: pd.DataFrame, modalities: dict[str, Any]
) -> tuple[Drawing, Drawing]:
    """Draw reconstruction by cancer type, from all sources and from every set of them."""
    parsed = parse_modalities(modalities)
    return partial(draw_reconstruction_by_type, table, parsed), partial(
        draw_source_sets_by_type, table, parsed
    )


def compare_decoded(
    test_draws: Partitions,
    baseline_predictions: Partitions,
    latents: Partitions,
    split: pd.DataFrame,
    presence: pd.DataFrame,
    modalities: dict[str, Any],
    processed: pd.DataFrame,
    encoder: Checkpoint,
    preprocessor: Checkpoint,
    parameters: EvaluationParameters,
    target: str,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score reconstruction of a modality from all others feature by feature, and name the best and the worst.

    Returns
    -------
    rows, features, correlations
        See :func:`decoded_rows`, :func:`best_and_worst_features` and :func:`correlations_by_method`.
    """
    # Only means of draws are decoded, of which it does not matter how they were made.
    held_out = read_held_out(
        test_draws, baseline_predictions, latents, split, presence, modalities, antithetic=False
    )
    decoded = decode_target(target, held_out, processed, _decoder(encoder, preprocessor))
    correlations = correlations_by_method(decoded)
    rows = pd.DataFrame(decoded_rows(decoded, parameters.bootstrap, parameters.seed))
    for line in decoded_lines(rows):
        logger.info(line)
    features = best_and_worst_features(
        decoded, correlations, parameters.decoded, parameters.bootstrap, parameters.seed
    )
    return rows, features, correlations


def gather_decoded(
    rows: Partitions, features: Partitions, correlations: Partitions, modalities: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, Drawing]:
    """Join what :func:`compare_decoded` found of every target, and draw it."""
    found = {target: load() for target, load in correlations.items()}
    return (
        join_rows(rows),
        join_rows(features),
        partial(draw_decoded, found, parse_modalities(modalities)),
    )


def _decoder(encoder: Checkpoint, preprocessor: Checkpoint) -> Decoder:
    # Torch takes seconds to import: only this node needs it.
    from tcga_coherent.embedding.encoder import Encoder
    from tcga_coherent.omics.features.preprocessor import Preprocessor

    return Decoder(
        Encoder.from_state(encoder.arrays, encoder.metadata).decode,
        Preprocessor.from_state(preprocessor.arrays, preprocessor.metadata).inverse_transform,
    )
