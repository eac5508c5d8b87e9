"""Reconstruction: Table 1, by cancer type, and in the space of features."""

import logging
from collections.abc import Mapping
from functools import partial

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.cohort import Partitions
from tcga_coherent.configuration import configured_modalities
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.held_out import HeldOut
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.pipelines.arguments import LABELS, MODALITIES, held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import drawing, each, join_rows, lane_node, study
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

# What :func:`compare_decoded` finds of a target.
DECODED = ("decoded_reconstruction", "decoded_features", "decoded_correlations")


def compare_reconstructions(held_out: HeldOut, parameters: EvaluationParameters) -> pd.DataFrame:
    """Score all methods on all targets and sources: Table 1."""
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


def compare_by_type(held_out: HeldOut, parameters: EvaluationParameters) -> pd.DataFrame:
    """Score all methods on all targets and sources within each cancer type."""
    table = reconstruction_by_type(
        held_out, parameters.bootstrap, parameters.reconstruction_by_type, parameters.seed
    )
    for line in by_type_lines(table):
        logger.info(line)
    return table


def compare_decoded(
    held_out: HeldOut,
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
    rows: Partitions,
    features: Partitions,
    correlations: Partitions,
    modalities: Mapping[str, ModalityConfig],
) -> tuple[pd.DataFrame, pd.DataFrame, Drawing]:
    """Join what :func:`compare_decoded` found of every target, and draw it."""
    found = {target: load() for target, load in correlations.items()}
    return (
        join_rows(rows),
        join_rows(features),
        partial(draw_decoded, found, modalities),
    )


def reconstruction() -> Pipeline:
    """Return the nodes of the study."""
    modalities = configured_modalities()
    in_latents = study(
        "reconstruction",
        ["reconstruction"],
        (
            compare_reconstructions,
            [held_out(), "params:evaluation"],
            "table1_reconstruction_table",
        ),
        (
            drawing(draw_reconstruction),
            ["table1_reconstruction_table", LABELS],
            "table1_reconstruction_figure",
        ),
        (compare_by_type, [held_out(), "params:evaluation"], "s2_reconstruction_by_type_table"),
        (
            drawing(draw_reconstruction_by_type),
            ["s2_reconstruction_by_type_table", MODALITIES],
            "s2_reconstruction_by_type_figure",
        ),
        (
            drawing(draw_source_sets_by_type),
            ["s2_reconstruction_by_type_table", MODALITIES],
            "s2_source_sets_by_type_figure",
        ),
        (
            gather_decoded,
            [*(each(f"rows/{part}", modalities) for part in DECODED), MODALITIES],
            [
                *("decoded_reconstruction_table", "decoded_features_table"),
                "decoded_reconstruction_figure",
            ],
        ),
    )
    of_features = [
        lane_node(
            compare_decoded,
            inputs=[
                held_out(),
                *(f"{kind}/{target}" for kind in ("processed", "encoders", "preprocessors")),
                "params:evaluation",
            ],
            outputs=[f"rows/{part}/{target}" for part in DECODED],
            name=f"compare_decoded_{target}",
            namespace="reconstruction",
            tags=["reconstruction"],
            lane=target,
        )
        for target in modalities
    ]
    return in_latents + Pipeline(of_features)


def _decoder(encoder: Checkpoint, preprocessor: Checkpoint) -> Decoder:
    # Torch takes seconds to import: only this node needs it.
    from tcga_coherent.embedding.encoder import Encoder
    from tcga_coherent.omics.features.preprocessor import Preprocessor

    fitted = Encoder.from_state(encoder.arrays, encoder.metadata)
    return Decoder(
        fitted.decode,
        Preprocessor.from_state(preprocessor.arrays, preprocessor.metadata).inverse_transform,
        fitted.residual_sd,
    )
