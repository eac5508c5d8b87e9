"""The cohort completed: nodes, and their wiring."""

import logging
from typing import Any

import pandas as pd
from kedro.pipeline import Node

from tcga_coherent.completion.patients import complete_patients, decode_patients
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion.generation import warn_of_few_references
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.stored_models import (
    Checkpoints,
    fingerprint_checkpoints,
    load_agreement,
    load_models,
)
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.pipelines.lanes import all_pairs, each, lane_node
from tcga_coherent.pipelines.partitions import Partitions

logger = logging.getLogger(__name__)

LATENT_PARTS = ("latent_draws", "latent_mean", "latent_sd")
DECODED_PARTS = ("decoded_mean", "decoded_sd")


def complete_cohort(
    measured: Partitions,
    latents: Partitions,
    codes: Partitions,
    encoders: Checkpoints,
    single_denoisers: Checkpoints,
    multi_denoisers: Checkpoints,
    consensus: Checkpoints,
    linear: Checkpoints,
    recalibration: Checkpoints,
    agreement: Checkpoint,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    completion: CompletionConfig,
    device: str,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]:
    """Give every patient latents of every modality; see :func:`tcga_coherent.completion.patients.complete_patients`."""
    names = list(parse_modalities(modalities))
    models = load_models(
        single_denoisers, multi_denoisers, consensus, linear,
        "encoders", fingerprint_checkpoints(encoders), device, recalibration,
    )  # fmt: skip
    models.check(sampling)
    fitted = load_agreement(agreement)
    warn_of_few_references(fitted)
    observed = {name: latents[name]() for name in names}
    completed = complete_patients(
        {name: measured[name]().index for name in names},
        observed,
        {name: codes[name]() for name in names},
        {name: _encoder(encoders[name]()) for name in names},
        models,
        fitted,
        sampling,
        completion,
    )
    for name, frame in completed.mean.items():
        logger.info(
            "%s: %d patients observed, %d generated",
            name,
            len(observed[name]),
            len(frame) - len(observed[name]),
        )
    return completed.draws, completed.mean, completed.sd, completed.flags


def decode_completion(
    table: pd.DataFrame,
    latents: pd.DataFrame,
    latent_draws: Partitions,
    preprocessor: Checkpoint,
    encoder: Checkpoint,
    modality: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every patient the values of a modality; see :func:`tcga_coherent.completion.patients.decode_patients`."""
    return decode_patients(
        table,
        latents,
        latent_draws[modality](),
        Preprocessor.from_state(preprocessor.arrays, preprocessor.metadata),
        _encoder(encoder),
    )


def completion_nodes(modalities: list[str]) -> list[Node]:
    """Return the nodes that complete the cohort, writing to ``completed_cohort/<part>``, of features ``<part>/<modality>``."""
    generation = lane_node(
        complete_cohort,
        inputs=[
            each("measured", modalities),
            each("latents", modalities),
            each("codes", modalities),
            each("encoders", modalities),
            each("single", all_pairs(modalities)),
            each("multi", modalities),
            each("consensus", modalities),
            each("linear", modalities),
            each("recalibration", modalities),
            "agreement",
            "params:modalities",
            "params:coherent_sampling",
            "params:completion",
            "params:compute.device",
        ],
        outputs=[
            *(f"completed_cohort/{part}" for part in LATENT_PARTS),
            "completed_cohort/flags",
        ],
        name="complete_patients",
        namespace="completion",
        tags=["gpu"],
    )
    decoding = [
        lane_node(
            decode_completion,
            inputs=[
                f"tables/{modality}",
                f"latents/{modality}",
                "completed_cohort/latent_draws",
                f"preprocessors/{modality}",
                f"encoders/{modality}",
            ],
            outputs=[f"completed_cohort/{part}/{modality}" for part in DECODED_PARTS],
            name="decode_completion",
            namespace=f"decoding.{modality}",
            lane=modality,
        )
        for modality in modalities
    ]
    return [generation, *decoding]


def _encoder(checkpoint: Checkpoint) -> Encoder:
    return Encoder.from_state(checkpoint.arrays, checkpoint.metadata)
