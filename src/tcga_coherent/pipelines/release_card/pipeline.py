"""The release card, whichever tables there are: before the privacy pipeline has run, or after others."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.pipelines.privacy.release_card import release_card_node


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the node of the release card."""
    return Pipeline([release_card_node([])])
