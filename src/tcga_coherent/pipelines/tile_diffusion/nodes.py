"""Nodes of the tile_diffusion pipeline."""

from collections.abc import Iterator

import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.histology.cascade.parameters import CascadeParameters
from tcga_coherent.histology.cascade.training import finished_stage, train_stage
from tcga_coherent.histology.tiles import TileStore


def train(
    tiles: TileStore,
    codes: pd.DataFrame,
    split: pd.DataFrame,
    former: Checkpoint,
    parameters: CascadeParameters,
    device: str,
    stage: str,
) -> Iterator[Checkpoint]:
    """Train a stage; Kedro saves what a generator yields at once, so that a run that is killed goes on."""
    yield from train_stage(
        stage, tiles, codes, split["split"], former, parameters, resolve_device(device)
    )


def select_weights(training: Checkpoint) -> tuple[Checkpoint, pd.DataFrame]:
    """Return the averaged weights of a stage and the history of its training."""
    return finished_stage(training)
