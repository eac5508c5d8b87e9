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
from tcga_coherent.measures.fidelity import r2
from tcga_coherent.modality import parse_modalities

logger = logging.getLogger(__name__)


def fit_encoders(
    processed: Mapping[str, Callable[[], pd.DataFrame]],
    split: pd.DataFrame,
    modalities: dict[str, Any],
    embedding: EmbeddingConfig,
    device: str,
) -> tuple[dict[str, Checkpoint], dict[str, pd.DataFrame], pd.DataFrame, Drawing]:
    """Fit each modality's encoder on the training patients and embed all patients.

    Returns
    -------
    encoders : dict of str to Checkpoint
        Fitted state; see ``embedding.encoder.Encoder.from_state``.
    latents : dict of str to DataFrame
        Patients x latent size, standardised on the training patients.
    embedding_table : DataFrame
        One row a modality; see :func:`describe_encoder`.
    embedding_figure : Callable
        Training curves and reconstruction beside PCA.

    Raises
    ------
    ValueError
        When a modality has no processed table, or it does not suit the encoder's settings.
    """
    configs = parse_modalities(modalities)
    absent = [name for name in configs if name not in processed]
    if absent:
        raise ValueError(
            f"No processed table of {', '.join(absent)}: there are those of {', '.join(processed)}. "
            f"Run the preprocessing pipeline, or set the modality to null under modalities."
        )
    torch_device = resolve_device(device)
    encoders, latents, rows, histories = {}, {}, [], {}
    for name, config in configs.items():
        table = processed[name]()
        start = time.monotonic()
        encoder = fit_encoder(name, table, split, config, embedding, torch_device)
        logger.info(
            "%s: %d features to %d latent dimensions in %.1f s",
            name,
            table.shape[1],
            encoder.latent_size,
            time.monotonic() - start,
        )
        encoders[name] = Checkpoint(*encoder.state())
        latents[name] = encoder.encode(table)
        rows.append(describe_encoder(encoder, table, split))
        histories[name] = encoder.history
    embedding_table = pd.DataFrame(rows)
    return (
        encoders,
        latents,
        embedding_table,
        partial(draw_embedding, embedding_table, histories, configs),
    )


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
        patients = processed.index.isin(split.index[split["split"] == part])
        truth = processed[patients]
        row[f"rows_{part}"] = len(truth)
        if len(truth) == 0:
            row |= {f"r2_{part}": float("nan"), f"pca_r2_{part}": float("nan")}
            continue
        values = truth.to_numpy()
        pca = encoder.pca
        row[f"r2_{part}"] = r2(values, encoder.decode(encoder.encode(truth)).to_numpy())
        row[f"pca_r2_{part}"] = r2(values, pca.reconstruct(pca.project(values)))
    return row
