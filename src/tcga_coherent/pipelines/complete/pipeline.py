"""Patients with missing modalities to completed patients."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import all_pairs, each, lane_node

from .nodes import (
    complete_patients,
    decode_completion,
    embed_new_patients,
    gather_completion,
    tabulate_new_patients,
)

LATENT_PARTS = ("latent_draws", "latent_mean", "latent_sd")
DECODED_PARTS = ("decoded_mean", "decoded_sd")


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Bring new patients' matrices to latents and complete them."""
    modalities = configured_modalities()
    embedding = [
        lane_node(
            tabulate_new_patients,
            inputs=[
                "new_patients/raw",
                "former_completion",
                each("preprocessors", modalities),
                "params:modalities",
                "params:ingestion.barcodes",
            ],
            outputs=[
                each("new_patients/tables", modalities),
                each("new_patients/measured", modalities),
                "new_patients/notes_of_samples",
            ],
            name="tabulate_new_patients",
            namespace="new_patients",
        ),
        lane_node(
            embed_new_patients,
            inputs=[
                each("new_patients/tables", modalities),
                each("preprocessors", modalities),
                each("encoders", modalities),
                each("processed", modalities),
                "split",
                "params:modalities",
            ],
            outputs=[
                each("new_patients/latents", modalities),
                each("new_patients/codes", modalities),
                "new_patients/notes_of_values",
            ],
            name="embed_new_patients",
            namespace="new_patients",
        ),
    ]
    completion = completion_nodes(
        "completed_patients",
        modalities,
        measured="new_patients/measured",
        tables="new_patients/tables",
        latents="new_patients/latents",
        codes="new_patients/codes",
    )
    folder = lane_node(
        gather_completion,
        inputs=[
            *(f"completed_patients/{part}" for part in LATENT_PARTS),
            *(each(f"completed_patients/{part}", modalities) for part in DECODED_PARTS),
            "completed_patients/flags",
            "new_patients/notes_of_samples",
            "new_patients/notes_of_values",
            "params:modalities",
        ],
        outputs="completed_patients",
        name="gather_completion",
        namespace="folder",
    )
    return Pipeline([*embedding, *completion, folder])


def completion_nodes(
    completed: str, modalities: list[str], *, measured: str, tables: str, latents: str, codes: str
) -> list[Node]:
    """Return the nodes that complete patients, writing to datasets ``<completed>/<part>``, and ``<part>/<modality>`` of features.

    Parameters
    ----------
    completed
        ``completed_cohort`` or ``completed_patients``.
    modalities
        Names of the modalities.
    measured, tables, latents, codes
        Kinds of the datasets of whom a modality was measured of, of the tables and of the observed latents and
        codes.
    """
    generation = lane_node(
        complete_patients,
        inputs=[
            each(measured, modalities),
            each(latents, modalities),
            each(codes, modalities),
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
            *(f"{completed}/{part}" for part in LATENT_PARTS),
            f"{completed}/flags",
        ],
        name="complete_patients",
        namespace="completion",
        tags=["gpu"],
    )
    decoding = [
        lane_node(
            decode_completion,
            inputs=[
                f"{tables}/{modality}",
                f"{latents}/{modality}",
                f"{completed}/latent_draws",
                f"preprocessors/{modality}",
                f"encoders/{modality}",
            ],
            outputs=[f"{completed}/{part}/{modality}" for part in DECODED_PARTS],
            name="decode_completion",
            namespace=f"decoding.{modality}",
            lane=modality,
        )
        for modality in modalities
    ]
    return [generation, *decoding]
