"""Wiring of the ingestion pipeline."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.omics.patients.clinical import harmonise_clinical

from .nodes import summarise_cohort, tabulate_modalities


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Raw files to modality tables, clinical table and the paper's Table 4."""
    return Pipeline(
        [
            Node(
                harmonise_clinical,
                inputs=[
                    "raw_clinical",
                    "params:ingestion.clinical_columns",
                    "params:ingestion.barcodes.scheme",
                ],
                outputs=["clinical", "clinical_report_table"],
                name="harmonise_clinical",
            ),
            Node(
                tabulate_modalities,
                inputs=[
                    "raw_modalities",
                    "clinical",
                    "params:modalities",
                    "params:ingestion.barcodes",
                ],
                outputs=["modality_tables", "ingestion_report_table"],
                name="tabulate_modalities",
            ),
            Node(
                summarise_cohort,
                inputs=["modality_tables", "clinical", "params:modalities"],
                outputs=["table4_cohort_table", "table4_cohort_figure"],
                name="summarise_cohort",
            ),
        ]
    )
