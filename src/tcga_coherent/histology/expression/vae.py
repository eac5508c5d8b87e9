"""Beta variational autoencoder of expression (Higgins et al. 2017; RNA-CDM, Methods)."""

import copy
import logging
import math
from itertools import pairwise

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tcga_coherent.histology.expression.parameters import ExpressionParameters

logger = logging.getLogger(__name__)


class BetaVAE(nn.Module):
    """Linear, BatchNorm and LeakyReLU layers; the output is linear, since z scores know no bounds.

    Parameters
    ----------
    n_genes, hidden, code_size
        Widths.
    """

    def __init__(self, n_genes: int, hidden: tuple[int, ...], code_size: int) -> None:
        super().__init__()
        self.encoder = _mlp([n_genes, *hidden])
        self.mean = nn.Linear(hidden[-1], code_size)
        self.log_variance = nn.Linear(hidden[-1], code_size)
        self.decoder = _mlp([code_size, *reversed(hidden)])
        self.out = nn.Linear(hidden[0], n_genes)

    def encode(self, genes: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the codes, rows x code_size."""
        hidden = self.encoder(genes)
        return self.mean(hidden), self.log_variance(hidden).clamp(-20, 20)

    def decode(self, codes: Tensor) -> Tensor:
        """Return z scores, rows x genes."""
        decoded: Tensor = self.out(self.decoder(codes))
        return decoded


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the divergence of each row's normal distribution from the standard one."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def draw_codes(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draw a code of each row's normal distribution."""
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def train_vae(
    train: Tensor, val: Tensor, parameters: ExpressionParameters
) -> tuple[BetaVAE, pd.DataFrame]:
    """Train with early stopping and return the best weights.

    Parameters
    ----------
    train, val
        z scores, patients x genes, on the device to train on.
    parameters
        Of the code.

    Returns
    -------
    vae
        In evaluation mode.
    history
        ``epoch``, ``train_loss`` and ``val_error``, the mean squared error of reconstruction from the mean code.

    Raises
    ------
    FloatingPointError
        When the loss is not finite.
    """
    devices = [train.device] if train.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(parameters.seed)
        vae = BetaVAE(train.shape[1], parameters.hidden, parameters.code_size).to(train.device)
        optimizer = torch.optim.Adam(vae.parameters(), parameters.learning_rate)
        best, best_epoch, weights = math.inf, 0, copy.deepcopy(vae.state_dict())
        records = []
        for epoch in range(1, parameters.max_epochs + 1):
            for group in optimizer.param_groups:
                group["lr"] = parameters.learning_rate * _rate_factor(epoch, parameters)
            loss = _epoch(vae, optimizer, train, parameters)
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"The training of the expression code diverged in epoch {epoch}: lower "
                    f"expression_vae.learning_rate."
                )
            error = _error(vae, val)
            records.append((epoch, loss, error))
            if error < best:
                best, best_epoch, weights = error, epoch, copy.deepcopy(vae.state_dict())
            if epoch - best_epoch >= parameters.patience:
                break
    vae.load_state_dict(weights)
    logger.info("Expression code: validation error %.4f at epoch %d of %d", best, best_epoch, epoch)
    return vae.eval(), pd.DataFrame(records, columns=["epoch", "train_loss", "val_error"])


def _epoch(
    vae: BetaVAE, optimizer: torch.optim.Optimizer, train: Tensor, parameters: ExpressionParameters
) -> float:
    vae.train()
    batch = min(parameters.batch_size, len(train))
    total, n = 0.0, len(train) // batch
    for rows in torch.randperm(len(train), device=train.device)[: n * batch].split(batch):
        genes = train[rows]
        mean, log_variance = vae.encode(genes)
        error = (vae.decode(draw_codes(mean, log_variance)) - genes).square().sum(1)
        # Of order one whatever the number of genes, as Adam's epsilon expects.
        loss = (error + parameters.beta * kl_divergence(mean, log_variance)).mean() / train.shape[1]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / n


@torch.no_grad()
def _error(vae: BetaVAE, genes: Tensor) -> float:
    vae.eval()
    return F.mse_loss(vae.decode(vae.encode(genes)[0]), genes).item()


def _rate_factor(epoch: int, parameters: ExpressionParameters) -> float:
    warm = parameters.warm_up_epochs
    if epoch <= warm:
        return epoch / warm
    return 0.5 * (1 + math.cos(math.pi * (epoch - warm) / max(1, parameters.max_epochs - warm)))


def _mlp(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.LeakyReLU()]
    return nn.Sequential(*layers)
