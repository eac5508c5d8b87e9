"""Patients with missing modalities to completed patients."""

from typing import Any

from kedro.pipeline import Pipeline, node

from .nodes import (
    complete_patients,
    embed_new_patients,
    gather_completion,
    tabulate_new_patients,
)

PARTS = ("latent_draws", "latent_mean", "latent_sd", "decoded_mean", "decoded_sd", "flags")


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Bring new patients' matrices to latents and complete them."""
    embedding = Pipeline(
        [
            node(
                tabulate_new_patients,
                inputs=[
                    "new_patients.raw_modalities",
                    "former_completion",
                    "preprocessors",
                    "params:modalities",
                    "params:ingestion.barcodes",
                ],
                outputs=["new_patients.tables", "new_patients.notes_of_samples"],
                name="tabulate_new_patients",
            ),
            node(
                embed_new_patients,
                inputs=[
                    "new_patients.tables",
                    "preprocessors",
                    "encoders",
                    "processed",
                    "split",
                    "params:modalities",
                ],
                outputs=["new_patients.latents", "new_patients.notes_of_values"],
                name="embed_new_patients",
            ),
        ]
    )
    completion = create_completion_pipeline(
        "completed_patients", tables="new_patients.tables", latents="new_patients.latents"
    )
    folder = Pipeline(
        [
            node(
                gather_completion,
                inputs=[
                    *(f"completed_patients.{part}" for part in PARTS),
                    "new_patients.notes_of_samples",
                    "new_patients.notes_of_values",
                    "params:modalities",
                ],
                outputs="completed_patients",
                name="gather_completion",
            )
        ]
    )
    return embedding + completion + folder


def create_completion_pipeline(namespace: str, tables: str, latents: str) -> Pipeline:
    """Return the step that completes patients, writing to datasets ``<namespace>.<part>``.

    Parameters
    ----------
    namespace
        ``completed_cohort`` or ``completed_patients``.
    tables, latents
        Datasets of the patients' modality tables and observed latents.
    """
    template = Pipeline(
        [
            node(
                complete_patients,
                inputs=[
                    "tables",
                    "latents",
                    "preprocessors",
                    "encoders",
                    "single.denoisers",
                    "multi.denoisers",
                    "consensus",
                    "recalibration",
                    "agreement",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:completion",
                    "params:compute.device",
                ],
                outputs=list(PARTS),
                name="complete_patients",
            )
        ]
    )
    return Pipeline(
        template,
        namespace=namespace,
        inputs={
            "tables": tables,
            "latents": latents,
            **{
                name: name
                for name in (
                    "preprocessors",
                    "encoders",
                    "single.denoisers",
                    "multi.denoisers",
                    "consensus",
                    "recalibration",
                    "agreement",
                )
            },
        },
        parameters={
            "params:modalities",
            "params:coherent_sampling",
            "params:completion",
            "params:compute.device",
        },
    )
