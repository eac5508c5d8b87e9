"""Nodes of the expression_vae pipeline."""

import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.histology.expression.encoder import fit_expression_encoder, score_encoder
from tcga_coherent.histology.expression.parameters import ExpressionParameters
from tcga_coherent.histology.expression.split import profiles_with_tiles, split_profiles


def split_patients(
    expression: pd.DataFrame,
    groups: pd.DataFrame,
    tile_index: pd.DataFrame,
    parameters: ExpressionParameters,
) -> pd.DataFrame:
    """Split the patients with expression; ``has_tiles`` says who has tiles too."""
    known = profiles_with_tiles(tile_index["patient_id"], expression, groups)
    split = split_profiles(known, parameters.split, parameters.seed)
    return split.join(known["has_tiles"])


def fit_code(
    expression: pd.DataFrame, split: pd.DataFrame, parameters: ExpressionParameters, device: str
) -> tuple[Checkpoint, pd.DataFrame, pd.DataFrame]:
    """Fit the code on the training patients; return it, all codes, and the errors of reconstruction."""
    profiles = expression.loc[split.index]
    encoder = fit_expression_encoder(profiles, split["split"], parameters, resolve_device(device))
    codes = encoder.codes(encoder.z_scores(profiles))
    return Checkpoint(*encoder.state()), codes, score_encoder(encoder, profiles, split["split"])
