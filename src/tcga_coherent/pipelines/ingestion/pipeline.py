"""Wiring of the ingestion."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.omics.patients.clinical import harmonise_clinical
from tcga_coherent.pipelines.lanes import each, gather_rows, lane_node

from .nodes import (
    check_samples,
    list_samples,
    summarise_cohort,
    tabulate_modality,
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Raw files to a table a modality, the clinical table and the paper's Table 4.

    The names of all modalities' samples are checked before the values of any are read.
    """
    modalities = configured_modalities()
    cohort = [
        Node(
            harmonise_clinical,
            inputs=[
                "raw_clinical",
                "params:ingestion.clinical_columns",
                "params:ingestion.barcodes.scheme",
            ],
            outputs=["clinical", "clinical_report_table"],
            name="harmonise_clinical",
            namespace="samples",
        ),
        lane_node(
            check_samples,
            inputs=[each("samples", modalities), "clinical", "params:ingestion.barcodes"],
            outputs="other_tumours",
            name="check_samples",
            namespace="samples",
        ),
        gather_rows("ingestion_report", modalities),
        lane_node(
            summarise_cohort,
            inputs=[each("measured", modalities), "clinical", "params:modalities"],
            outputs=["table4_cohort_table", "table4_cohort_figure"],
            name="summarise_cohort",
            namespace="report",
        ),
    ]
    return Pipeline(cohort + [node for modality in modalities for node in _lane(modality)])


def _lane(modality: str) -> list[Node]:
    return [
        Node(
            list_samples,
            inputs=f"raw/{modality}",
            outputs=f"samples/{modality}",
            name=f"list_samples_{modality}",
            namespace="samples",
        ),
        lane_node(
            tabulate_modality,
            inputs=[f"raw/{modality}", "other_tumours", "clinical", "params:ingestion.barcodes"],
            outputs=[
                f"tables/{modality}",
                f"measured/{modality}",
                f"rows/ingestion_report/{modality}",
            ],
            name="tabulate",
            namespace=modality,
            lane=modality,
        ),
    ]
