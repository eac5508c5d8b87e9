"""Training of a stage from stored tiles and expression codes, finished or to be gone on with."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter

from tcga_coherent import __version__
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.device import resolve_precision
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.histology.cascade.generation import TrainedStage
from tcga_coherent.histology.cascade.parameters import (
    Augmentation,
    CascadeParameters,
    StageParameters,
    UNetParameters,
)
from tcga_coherent.histology.cascade.stages import (
    STAGES,
    SUPER_RESOLUTION,
    Stage,
    TileScale,
    measure_scale,
    stage_of,
)
from tcga_coherent.histology.cascade.trainer import StageTrainer, TrainingTiles
from tcga_coherent.histology.cascade.unet import UNet
from tcga_coherent.histology.tiles import TileStore, read_tiles

logger = logging.getLogger(__name__)

# Tiles that their mean and spread are measured on.
SCALE_TILES = 1000


def train_stage(
    name: str,
    store: TileStore,
    codes: pd.DataFrame,
    split: pd.Series,
    former: Checkpoint,
    parameters: CascadeParameters,
    device: torch.device,
) -> Iterator[Checkpoint]:
    """Train a stage on the tiles of training patients; yield its state at every validation.

    Parameters
    ----------
    name
        ``base`` or ``super_resolution``.
    store
        The tiles.
    codes
        Expression codes, patients x code_size, float32.
    split
        Part of each patient.
    former
        What an earlier training left; one of other tiles, codes or parameters is not gone on with.
    parameters
        Of the cascade.
    device
        Where to train.

    Raises
    ------
    ValueError
        When a part has no tiles, tiles have another size, or codes are not finite.
    """
    if not np.isfinite(codes.to_numpy()).all():
        raise ValueError(
            "Expression codes hold values that are not finite: run expression_vae again."
        )
    tiles = {part: tiles_of(store, split.index[split == part]) for part in ("train", "val")}
    for part, numbers in tiles.items():
        if not len(numbers):
            raise ValueError(
                f"No {part} patient has tiles: add tiles, or change expression_vae.split."
            )
    own: StageParameters = getattr(parameters, name)
    size = read_tiles(store, tiles["train"][:1]).shape[1]
    if size != parameters.super_resolution.size:
        raise ValueError(
            f"The tiles have {size} pixels of a side, but tile_diffusion.super_resolution.size is "
            f"{parameters.super_resolution.size}: set it to theirs."
        )
    scale = _scale(store, tiles["train"], parameters)
    stage = stage_of(name, own, parameters.base, scale)
    trainer = StageTrainer(
        stage,
        parameters,
        own,
        _training_tiles(store, tiles["train"], codes),
        _training_tiles(store, tiles["val"], codes),
        device,
    )
    identity = _identity(stage, store, tiles, codes, parameters, own)
    if former.metadata.get("identity") == identity:
        trainer.load_state(former.arrays, former.metadata["state"])
        logger.info("%s: going on after step %d of %d", name, trainer.step, own.steps)
    described = {
        "identity": identity,
        "version": __version__,
        "stage": stage.describe(),
        "code_size": codes.shape[1],
        "unet": asdict(own.unet),
        "augmentation": asdict(parameters.augmentation),
        "precision": parameters.precision,
        "codes": fingerprint_frame(codes),
    }
    for record in trainer.train():
        logger.info(
            "%s: step %d of %d, loss %.4f, on validation %.4f",
            name, record.step, own.steps, record.train_loss, record.val_loss,
        )  # fmt: skip
        if record.step < own.steps:
            yield _checkpoint(trainer, described)
    yield _checkpoint(trainer, described | {"finished": True})


def finished_stage(training: Checkpoint) -> tuple[Checkpoint, pd.DataFrame]:
    """Return the averaged weights of a finished training, and its history: ``stage``, ``step``, losses."""
    if not training.metadata.get("finished"):
        raise ValueError(
            "The training of the cascade is not finished: run tile_diffusion again, it goes on where it was."
        )
    described = {k: v for k, v in training.metadata.items() if k != "state"}
    arrays = {
        name.removeprefix("average/"): array
        for name, array in training.arrays.items()
        if name.startswith("average/")
    }
    history = pd.DataFrame(training.metadata["state"]["history"])
    history.insert(0, "stage", training.metadata["stage"]["name"])
    return Checkpoint(arrays, described), history


def load_stage(checkpoint: Checkpoint, codes: pd.DataFrame, device: torch.device) -> TrainedStage:
    """Return a trained stage.

    Parameters
    ----------
    checkpoint
        Of :func:`finished_stage`.
    codes
        Those that it was trained with.
    device
        Where to draw.

    Raises
    ------
    ValueError
        When the stage was trained with other codes.
    """
    described = checkpoint.metadata
    stage = Stage.from_description(described["stage"])
    if described["codes"] != fingerprint_frame(codes):
        raise ValueError(
            f"The {stage.name} of the cascade was trained with other expression codes: run tile_diffusion again."
        )
    unet = TypeAdapter(UNetParameters).validate_python(described["unet"])
    network = UNet(stage.shape(described["code_size"], unet))
    weights = {name: torch.from_numpy(array.copy()) for name, array in checkpoint.arrays.items()}
    network.load_state_dict(weights, strict=False)
    augmentation = TypeAdapter(Augmentation).validate_python(described["augmentation"])
    precision = resolve_precision(described["precision"], device)
    return TrainedStage(stage, network.to(device).eval(), augmentation, device, precision)


def tiles_of(store: TileStore, patients: pd.Index) -> NDArray[np.int64]:
    """Return the numbers of the tiles of some patients."""
    index = store.index
    return index.index[index["patient_id"].isin(patients)].to_numpy(dtype=np.int64)


def _training_tiles(
    store: TileStore, tiles: NDArray[np.int64], codes: pd.DataFrame
) -> TrainingTiles:
    patients = store.index.loc[tiles, "patient_id"]
    of_tiles = codes.loc[patients].to_numpy(dtype=np.float32)
    return TrainingTiles(lambda positions: read_tiles(store, tiles[positions]), of_tiles)


def _scale(store: TileStore, tiles: NDArray[np.int64], parameters: CascadeParameters) -> TileScale:
    rng = np.random.default_rng(parameters.seed)
    some = np.sort(rng.permutation(tiles)[:SCALE_TILES])
    return measure_scale(read_tiles(store, some), parameters.base.size)


def _checkpoint(trainer: StageTrainer, described: dict[str, Any]) -> Checkpoint:
    arrays, state = trainer.state()
    return Checkpoint(arrays, {**described, "state": state})


def _identity(
    stage: Stage,
    store: TileStore,
    tiles: dict[str, NDArray[np.int64]],
    codes: pd.DataFrame,
    parameters: CascadeParameters,
    own: StageParameters,
) -> str:
    """Return a digest of all that the weights depend on."""
    common = {k: v for k, v in asdict(parameters).items() if k not in STAGES}
    if stage.name != SUPER_RESOLUTION:
        common.pop("augmentation")
    parts = [
        __version__,
        stage.describe(),
        asdict(own),
        common,
        fingerprint_frame(codes),
        dict(sorted(store.identities.items())),
        {part: numbers.tolist() for part, numbers in tiles.items()},
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
