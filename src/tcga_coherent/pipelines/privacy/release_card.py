"""Node that writes the card of trained models."""

from collections.abc import Mapping

from kedro.pipeline import Node

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.pipelines.arguments import LABELS
from tcga_coherent.pipelines.lanes import all_pairs, each, lane_node
from tcga_coherent.pipelines.partitions import Partitions
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.privacy.release_card.card import Released, write_card
from tcga_coherent.report.parts import Parts


def write_release_card(
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    linear: Partitions,
    encoders: Partitions,
    preprocessors: Partitions,
    recalibration: Partitions,
    agreement: Checkpoint,
    reporting_folder: Parts,
    labels: Mapping[str, str],
    sampling: SamplingConfig,
    parameters: PrivacyParameters,
    made: Partitions,
) -> str:
    """Write what models are, do and give away.

    `made` are tables that a run has just made; all others are taken from the folder where they
    exist.
    """
    partitioned = {
        "single": single_denoisers,
        "multi": multi_denoisers,
        "consensus": consensus,
        "linear": linear,
        "encoders": encoders,
        "preprocessors": preprocessors,
        "recalibration": recalibration,
    }
    checkpoints = {
        kind: {name: load() for name, load in stored.items()}
        for kind, stored in partitioned.items()
    }
    checkpoints["calibration"] = {"agreement": agreement}
    return write_card(
        Released(checkpoints, labels, sampling),
        reporting_folder.with_made({name: load() for name, load in made.items()}),
        parameters.release_card,
    )


def release_card_node(made: list[str]) -> Node:
    """Return the node that writes the card, once the tables `made` by the same pipeline are there."""
    modalities = configured_modalities()
    return lane_node(
        write_release_card,
        inputs=[
            each("single", all_pairs(modalities)),
            *(
                each(kind, modalities)
                for kind in (
                    *("multi", "consensus", "linear"),
                    *("encoders", "preprocessors", "recalibration"),
                )
            ),
            "agreement",
            "reporting_folder",
            LABELS,
            "params:coherent_sampling",
            "params:privacy",
            {name: name for name in made},
        ],
        outputs="release_card",
        name="write_release_card",
        namespace="release_card",
        tags=["release_card"],
    )
