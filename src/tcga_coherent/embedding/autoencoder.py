"""Autoencoder of one modality, and its training."""

import logging
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import pandas as pd
import torch
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass
from torch import nn

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 5.0

# A validation error counts as lower when it is so by more than this share: less than that is the
# luck of a few hundred validation rows, and PCA stays where nothing better is found.
MIN_IMPROVEMENT = 1e-3


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class EmbeddingConfig:
    """How encoders are fitted, the same for all modalities.

    Attributes
    ----------
    principal_axes
        Leading principal axes of the features that an autoencoder works on.
    code_size
        Leading principal axes whose scores are a patient's code, or as many as there are. A latent of 32
        dimensions loses most of what other modalities need: sums along chromosome arms, for instance.
    covariates
        Columns of the clinical table that stand in every code too: what a clinic knows of a patient, whatever was
        measured.
    dropout
        Share of hidden units switched off during training.
    batch_size
        Rows of a gradient step.
    learning_rate, weight_decay
        Of AdamW. The rate falls to a third after a third of `patience` epochs without progress.
    max_epochs
        Upper bound of the passes over the training rows.
    patience
        Epochs without a lower validation error after which training stops.
    seed
        Seed of initial weights, shuffling, dropout and randomised PCA.
    """

    principal_axes: int = Field(default=256, ge=1)
    code_size: int = Field(default=512, ge=1)
    covariates: tuple[Literal["cancer_type", "age", "sex"], ...] = ()
    dropout: float = Field(default=0.2, ge=0, lt=1)
    batch_size: int = Field(default=128, ge=2)
    learning_rate: float = Field(default=5e-4, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    max_epochs: int = Field(default=300, ge=1)
    patience: int = Field(default=20, ge=1)
    seed: int = 0


def hidden_widths(
    n_features: int, latent_size: int, hidden_layers: int, max_width: int
) -> list[int]:
    """Return the widths of the encoder's hidden layers.

    They narrow geometrically from the features to the latent. Where that makes the first one wider
    than `max_width`, they narrow geometrically from `max_width`.

    Raises
    ------
    ValueError
        When `hidden_layers` is negative or `max_width` is below the latent size.
    """
    if hidden_layers < 0 or max_width < latent_size:
        raise ValueError(
            f"encoder.hidden_layers must be at least 0 and encoder.max_width at least the latent "
            f"size {latent_size}, got {hidden_layers} and {max_width}."
        )
    if hidden_layers == 0:
        return []
    ratio = (latent_size / n_features) ** (1 / (hidden_layers + 1))
    first = min(float(max_width), n_features * ratio)
    ratio = (latent_size / first) ** (1 / hidden_layers)
    return [round(first * ratio**layer) for layer in range(hidden_layers)]


class Autoencoder(nn.Module):
    """MLP autoencoder that starts as principal component analysis.

    Hidden layers are Linear, BatchNorm and ReLU, the bottleneck is linear, the decoder mirrors the
    encoder (paper, Methods, Autoencoder embedding; that it narrows geometrically is our reading).
    Two things are added, because a plain autoencoder of a few thousand rows reconstructs held-out
    copy numbers worse than PCA does:

    * It sees the scores of the features' leading principal axes. Rotated and cut, thousands of
      features train in seconds, and the squared error differs by a constant only.
    * Encoder and decoder add their output to the linear path of PCA, and their last layers start
      at zero. So training starts at PCA's reconstruction, early stopping returns to it where
      nothing better is found, and latents stay nearly uncorrelated.

    Parameters
    ----------
    axis_sd
        Standard deviation of each principal axis' scores over the training rows.
    latent_size
        Number of latent dimensions, at most the number of axes.
    widths
        Hidden widths of the encoder.
    dropout
        Share of hidden units switched off during training.
    """

    axis_sd: torch.Tensor

    def __init__(
        self, axis_sd: torch.Tensor, latent_size: int, widths: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        n_axes = len(axis_sd)
        self.latent_size = latent_size
        self.widths = list(widths)
        self.register_buffer("axis_sd", axis_sd)
        self.encoder = _mlp([n_axes, *widths, latent_size], dropout)
        self.decoder = _mlp([latent_size, *reversed(widths), n_axes], dropout)

    @property
    def scale(self) -> torch.Tensor:
        """Root mean square of all scores: the unit that the networks work in."""
        return self.axis_sd.square().mean().sqrt()

    def encode(self, scores: torch.Tensor) -> torch.Tensor:
        """Return latents, rows x latent size, for scores, rows x axes."""
        linear = scores[:, : self.latent_size] / self.axis_sd[: self.latent_size]
        return linear + self.encoder(scores / self.scale)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Return scores, rows x axes, for latents, rows x latent size."""
        scores = self.scale * self.decoder(latents)
        scores[:, : self.latent_size] += latents * self.axis_sd[: self.latent_size]
        return scores

    def forward(self, scores: torch.Tensor) -> torch.Tensor:
        """Return reconstructed scores."""
        return self.decode(self.encode(scores))


def train_autoencoder(
    train: torch.Tensor,
    val: torch.Tensor,
    latent_size: int,
    widths: Sequence[int],
    settings: EmbeddingConfig,
    name: str,
) -> tuple[Autoencoder, pd.DataFrame]:
    """Train with early stopping and return the best weights.

    Parameters
    ----------
    train, val
        Scores of the training and validation rows, rows x axes, on the device to train on.
    latent_size
        Number of latent dimensions.
    widths
        Hidden widths of the encoder.
    settings
        Optimiser, patience and seed. Same seed and device, same result; torch's own random state
        is left as it was.
    name
        Modality, for the log.

    Returns
    -------
    autoencoder : Autoencoder
        In evaluation mode, with the weights of the last epoch that lowered the validation error.
    history : DataFrame
        ``epoch``, ``train_error`` (with dropout), ``val_error`` (squared errors summed over axes, mean
        over rows) and ``kept``, true at the epoch of the weights. Epoch 0 is PCA.
    """
    cuda_devices = [train.device] if train.device.type == "cuda" else []
    with torch.random.fork_rng(cuda_devices):
        torch.manual_seed(settings.seed)
        autoencoder = Autoencoder(
            train.std(dim=0, correction=0), latent_size, widths, settings.dropout
        ).to(train.device)
        history = _fit(autoencoder, train, val, settings, name)
    return autoencoder.eval(), history


def _fit(
    autoencoder: Autoencoder,
    train: torch.Tensor,
    val: torch.Tensor,
    settings: EmbeddingConfig,
    name: str,
) -> pd.DataFrame:
    optimizer = torch.optim.AdamW(
        autoencoder.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=1 / 3, patience=settings.patience // 3, threshold=MIN_IMPROVEMENT
    )
    best_error, best_epoch = _error(autoencoder, val), 0
    best_weights = _copy_weights(autoencoder)
    records = [(0, _error(autoencoder, train), best_error)]
    start = last_report = time.monotonic()
    for epoch in range(1, settings.max_epochs + 1):
        train_error = _train_epoch(autoencoder, optimizer, train, settings.batch_size)
        val_error = _error(autoencoder, val)
        schedule.step(val_error)
        records.append((epoch, train_error, val_error))
        if val_error < best_error * (1 - MIN_IMPROVEMENT):
            best_error, best_epoch = val_error, epoch
            best_weights = _copy_weights(autoencoder)
        now = time.monotonic()
        if now - last_report > SECONDS_BETWEEN_REPORTS:
            last_report = now
            logger.info(
                "%s: epoch %d, training error %.4g, validation error %.4g, at most %.0f s left",
                name,
                epoch,
                train_error,
                val_error,
                (now - start) / epoch * (settings.max_epochs - epoch),
            )
        if epoch - best_epoch >= settings.patience:
            break
    autoencoder.load_state_dict(best_weights)
    logger.info(
        "%s: best validation error %.4g at epoch %d of %d (PCA: %.4g), %.1f s",
        name,
        best_error,
        best_epoch,
        epoch,
        records[0][2],
        time.monotonic() - start,
    )
    history = pd.DataFrame(records, columns=["epoch", "train_error", "val_error"])
    return history.assign(kept=history["epoch"] == best_epoch)


def _train_epoch(
    autoencoder: Autoencoder,
    optimizer: torch.optim.Optimizer,
    train: torch.Tensor,
    batch_size: int,
) -> float:
    """Pass once over the shuffled rows, less those of an incomplete last batch."""
    autoencoder.train()
    batch_size = min(batch_size, len(train))
    n_batches = len(train) // batch_size
    order = torch.randperm(len(train), device=train.device)[: n_batches * batch_size]
    total = torch.zeros((), device=train.device)
    for rows in order.split(batch_size):
        scores = train[rows]
        error = (autoencoder(scores) - scores).square().sum(dim=1).mean()
        optimizer.zero_grad()
        # Of order one whatever the number of features, as Adam's epsilon expects.
        (error / autoencoder.axis_sd.square().sum()).backward()
        optimizer.step()
        total += error.detach()
    return total.item() / n_batches


@torch.no_grad()
def _error(autoencoder: Autoencoder, scores: torch.Tensor) -> float:
    """Return the squared error summed over axes, mean over rows."""
    autoencoder.eval()
    return (autoencoder(scores) - scores).square().sum(dim=1).mean().item()


def _copy_weights(autoencoder: Autoencoder) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in autoencoder.state_dict().items()}


def _mlp(widths: Sequence[int], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [
            nn.Linear(before, after),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Dropout(dropout),
        ]
    last = nn.Linear(widths[-2], widths[-1])
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)
