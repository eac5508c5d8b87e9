"""An environment's models to a bundle that is passed on."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.configuration import configured_modalities, configured_tasks
from tcga_coherent.pipelines.lanes import Built, all_pairs, each, lane_node

from .nodes import check_bundle, gather_bundle


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Gather the models, the preprocessing and the parameters of completing."""
    return Pipeline(
        [
            lane_node(
                check_bundle,
                inputs=[own_models()],
                outputs="bundle",
                name="gather_bundle",
                namespace="folder",
            )
        ]
    )


def own_models() -> Built:
    """Return the :class:`tcga_coherent.completion.bundle.Bundle` of the environment at hand."""
    modalities = configured_modalities()
    return Built(
        gather_bundle,
        (
            each("preprocessors", modalities),
            each("encoders", modalities),
            each("single", all_pairs(modalities)),
            each("multi", modalities),
            each("consensus", modalities),
            each("linear", modalities),
            each("recalibration", modalities),
            each("downstream", configured_tasks()),
            "agreement",
            "params:modalities",
            "params:ingestion.barcodes",
            "params:coherent_sampling",
            "params:completion",
        ),
    )
