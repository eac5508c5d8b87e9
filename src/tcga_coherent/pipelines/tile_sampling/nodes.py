"""Nodes of the tile_sampling pipeline."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.histology.cascade.generation import Cascade
from tcga_coherent.histology.cascade.sampling import TileSamplingParameters, draw_tiles, plan_tiles
from tcga_coherent.histology.cascade.training import load_stage
from tcga_coherent.histology.expression.encoder import ExpressionEncoder
from tcga_coherent.histology.expression.programmes import parse_programmes
from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore


def draw(
    expression: pd.DataFrame,
    split: pd.DataFrame,
    encoder: Checkpoint,
    codes: pd.DataFrame,
    base: Checkpoint,
    super_resolution: Checkpoint,
    former: TileStore,
    programmes: dict[str, Any],
    parameters: TileSamplingParameters,
    device: str,
) -> Iterator[TileBatch | AllBatches]:
    """Draw tiles of the test patients, of exchanged expression, and of moved programmes."""
    fitted = ExpressionEncoder.from_state(encoder.arrays, encoder.metadata)
    of_tiles = split.loc[split["has_tiles"], "split"]
    plan = plan_tiles(expression, of_tiles, fitted, parse_programmes(programmes), parameters)
    where = resolve_device(device)
    cascade = Cascade(load_stage(base, codes, where), load_stage(super_resolution, codes, where))
    identity = base.metadata["identity"] + super_resolution.metadata["identity"]
    yield from draw_tiles(plan, cascade, identity, former, parameters)
