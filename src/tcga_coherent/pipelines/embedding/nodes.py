"""Nodes of the embedding."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import Encoder, fit_encoder
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.figures.embedding import draw_embedding
from tcga_coherent.modality import ModalityConfig, parse_modalities
from tcga_coherent.pipelines.lanes import join_rows

logger = logging.getLogger(__name__)

Loaders = Mapping[str, Callable[[], pd.DataFrame]]


def encode_modality(
    processed: pd.DataFrame,
    split: pd.DataFrame,
    clinical: pd.DataFrame,
    config: ModalityConfig,
    embedding: EmbeddingConfig,
    device: str,
    modality: str,
) -> tuple[Checkpoint, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Fit a modality's encoder on the training patients and embed all patients.

    Returns
    -------
    encoder : Checkpoint
        Fitted state; see ``embedding.encoder.Encoder.from_state``.
    latents : DataFrame
        Patients x latent size, standardised on the training patients.
    codes : DataFrame
        Patients x principal axes and covariates; see ``embedding.encoder.Encoder.code``.
    description : DataFrame
        One row; see :func:`describe_encoder`.
    history : DataFrame
        Its training; see ``embedding.encoder.Encoder.history``.

    Raises
    ------
    ValueError
        When the modality does not suit the encoder's settings.
    """
    start = time.monotonic()
    encoder = fit_encoder(
        modality, processed, split, config, embedding, resolve_device(device), clinical
    )
    logger.info(
        "%s: %d features to %d latent dimensions in %.1f s",
        modality,
        processed.shape[1],
        encoder.latent_size,
        time.monotonic() - start,
    )
    return (
        Checkpoint(*encoder.state()),
        encoder.encode(processed),
        encoder.code(processed, clinical),
        pd.DataFrame([describe_encoder(encoder, processed, split)]),
        encoder.history,
    )


def gather_encoders(
    descriptions: Loaders, histories: Loaders, modalities: dict[str, Any]
) -> tuple[pd.DataFrame, Drawing]:
    """Tabulate and draw how the encoders of all modalities were trained and what they lose."""
    table = join_rows(descriptions)
    trained = {modality: load() for modality, load in histories.items()}
    return table, partial(draw_embedding, table, trained, parse_modalities(modalities))


def describe_encoder(
    encoder: Encoder, processed: pd.DataFrame, split: pd.DataFrame
) -> dict[str, Any]:
    """Return a modality's row of the table.

    It has ``modality``, ``encoder`` (autoencoder or pca), ``features``, ``latent_size``,
    ``epochs`` (trained) and ``kept_epoch`` (0 is PCA), and for each part of the split its
    ``rows_<part>``, the R2 of reconstruction over all entries, ``r2_<part>``, and that of PCA with
    as many dimensions, fitted on the training patients, ``pca_r2_<part>``.
    """
    history = encoder.history
    row: dict[str, Any] = {
        "modality": encoder.modality,
        "encoder": "pca" if encoder.autoencoder is None else "autoencoder",
        "features": len(encoder.features),
        "latent_size": encoder.latent_size,
        "epochs": max(len(history) - 1, 0),
        "kept_epoch": int(history.loc[history["kept"], "epoch"].sum()) if len(history) else 0,
    }
    for part in ("train", "val", "test"):
        patients = split.index[split["split"] == part]
        row[f"rows_{part}"] = int(processed.index.isin(patients).sum())
        own, linear = encoder.reconstruction_r2(processed, patients)
        row |= {f"r2_{part}": own, f"pca_r2_{part}": linear}
    return row
