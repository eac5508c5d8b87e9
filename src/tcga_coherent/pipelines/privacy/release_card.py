"""Node that writes the card of trained models."""

from typing import Any

import pandas as pd
from kedro.pipeline import Node

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.partitions import Partitions
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.privacy.release_card.card import Released, write_card
from tcga_coherent.report.parts import Parts


def write_release_card(
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    encoders: Partitions,
    preprocessors: Partitions,
    recalibration: Checkpoint,
    agreement: Checkpoint,
    reporting_folder: Parts,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
    **made: pd.DataFrame,
) -> str:
    """Write what models are, do and give away.

    `made` are tables that a run has just made; all others are taken from the folder where they
    exist.
    """
    partitioned = {
        "single": single_denoisers,
        "multi": multi_denoisers,
        "consensus": consensus,
        "encoders": encoders,
        "preprocessors": preprocessors,
    }
    checkpoints = {
        kind: {name: load() for name, load in stored.items()}
        for kind, stored in partitioned.items()
    }
    checkpoints["calibration"] = {"recalibration": recalibration, "agreement": agreement}
    labels = {name: modality.label for name, modality in parse_modalities(modalities).items()}
    return write_card(
        Released(checkpoints, labels, sampling),
        reporting_folder.with_made(made),
        parameters.release_card,
    )


def release_card_node(made: list[str]) -> Node:
    """Return the node that writes the card, once the tables `made` by the same pipeline are there."""
    inputs = {
        "single_denoisers": "single.denoisers",
        "multi_denoisers": "multi.denoisers",
        **{
            name: name
            for name in (
                *("consensus", "encoders", "preprocessors", "recalibration", "agreement"),
                "reporting_folder",
                *made,
            )
        },
        "modalities": "params:modalities",
        "sampling": "params:coherent_sampling",
        "parameters": "params:privacy",
    }
    return Node(
        write_release_card, inputs=inputs, outputs="release_card", name="write_release_card",
        tags=["release_card"],
    )  # fmt: skip
