"""Nodes of the tile_evaluation pipeline."""

from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.histology.cascade.training import tiles_of
from tcga_coherent.histology.evaluation.distances import compare_sets
from tcga_coherent.histology.evaluation.features import embed_tiles, tile_sets
from tcga_coherent.histology.evaluation.figures import draw_sheet
from tcga_coherent.histology.evaluation.nuclei import measure_tiles
from tcga_coherent.histology.evaluation.parameters import TileEvaluationParameters
from tcga_coherent.histology.evaluation.programmes import REAL, follow_moves, follow_programmes
from tcga_coherent.histology.expression.encoder import ExpressionEncoder
from tcga_coherent.histology.expression.programmes import parse_programmes, programme_scores
from tcga_coherent.histology.tiles import TileStore, decode


def measure(
    tiles: TileStore, generated: TileStore, parameters: TileEvaluationParameters
) -> pd.DataFrame:
    """Measure stains and nuclei of generated tiles, and of the real ones of the same patients."""
    drawn = generated.index
    real = tiles.index.loc[tiles_of(tiles, pd.Index(drawn["patient_id"].unique()))]
    rows = pd.concat(
        [real[["patient_id"]].assign(source=REAL, programme="", shift=0.0), drawn],
        ignore_index=True,
    )[["patient_id", "source", "programme", "shift"]]
    images = (
        decode(store.read_encoded(int(tile)))
        for store, index in ((tiles, real), (generated, drawn))
        for tile in index.index
    )
    return rows.join(measure_tiles(images, parameters.nuclei))


def score_programmes(
    measured: pd.DataFrame,
    expression: pd.DataFrame,
    split: pd.DataFrame,
    encoder: Checkpoint,
    programmes: dict[str, Any],
    parameters: TileEvaluationParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Say how far tiles follow the programmes, over patients and when a programme is moved."""
    known = parse_programmes(programmes)
    fitted = ExpressionEncoder.from_state(encoder.arrays, encoder.metadata)
    scores = programme_scores(fitted.z_scores(expression.loc[split.index]), known)
    settings = (scores, known, parameters.bootstrap, parameters.seed)
    return follow_programmes(measured, *settings), *follow_moves(measured, *settings)


def compare(
    tiles: TileStore,
    generated: TileStore,
    split: pd.DataFrame,
    parameters: TileEvaluationParameters,
    device: str,
) -> pd.DataFrame:
    """Say how far generated tiles are from real ones, beside other real ones and blurred ones."""
    sets = tile_sets(tiles, generated, split, parameters.feature_tiles, parameters.seed)
    where = resolve_device(device)
    network, size = parameters.feature_network, parameters.feature_size
    features = {name: embed_tiles(images, network, size, where) for name, images in sets.items()}
    reference = features.pop("reference")
    return compare_sets(reference, features, parameters.feature_repeats, parameters.seed)


def show_tiles(
    tiles: TileStore,
    generated: TileStore,
    split: pd.DataFrame,
    parameters: TileEvaluationParameters,
) -> Drawing:
    """Draw real tiles beside generated ones."""
    shown = parameters.sheet_patients, parameters.sheet_tiles
    return partial(draw_sheet, tiles, generated, split, *shown)
