"""Training of one stage: resumable at every validation, the same with and without interruption."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tcga_coherent.diffusion.device import memory_advice, resolve_precision
from tcga_coherent.histology.cascade.parameters import CascadeParameters, StageParameters
from tcga_coherent.histology.cascade.preconditioning import Preconditioning, draw_sigma
from tcga_coherent.histology.cascade.stages import Stage, degrade
from tcga_coherent.histology.cascade.unet import UNet

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 60
# Adam's state of a weight.
MOMENTS = ("exp_avg", "exp_avg_sq")
# Of the moving average while it is young.
EMA_WARM_UP = 10


@dataclass(frozen=True)
class TrainingTiles:
    """Tiles and the expression that belongs to each.

    Attributes
    ----------
    read
        Positions of tiles to images, n x size x size x 3, uint8.
    codes
        Expression code of each tile, n_tiles x code_size, float32.
    """

    read: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    codes: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.codes)


@dataclass(frozen=True)
class LossRecord:
    """Mean training loss since the last record, and loss on validation tiles with the averaged weights."""

    step: int
    train_loss: float
    val_loss: float


class StageTrainer:
    """Adam on the preconditioned loss, with a moving average of the weights.

    What happens in a step depends on the seed and the number of the step alone, so that a training that goes
    on from a saved state ends where it would have without the interruption.

    Parameters
    ----------
    stage
        What is learned.
    parameters, own
        Of the cascade and of the stage.
    train, val
        Tiles.
    device
        Where to compute.
    """

    def __init__(
        self,
        stage: Stage,
        parameters: CascadeParameters,
        own: StageParameters,
        train: TrainingTiles,
        val: TrainingTiles,
        device: torch.device,
    ) -> None:
        self.stage, self.parameters, self.own = stage, parameters, own
        self._train, self._val, self._device = train, val, device
        self._precision = resolve_precision(parameters.precision, device)
        self.shape = stage.shape(train.codes.shape[1], own.unet)
        # Weights are drawn on the CPU, and torch's own random state is left as it was.
        with torch.random.fork_rng([]):
            torch.manual_seed(parameters.seed)
            self.network = UNet(self.shape).to(device)
        self._average = {
            name: weight.detach().clone() for name, weight in self.network.named_parameters()
        }
        self._optimizer = torch.optim.Adam(self.network.parameters(), own.learning_rate)
        self.step = 0
        self.history: list[LossRecord] = []

    def train(self) -> Iterator[LossRecord]:
        """Train to the end; yield at every validation.

        Raises
        ------
        FloatingPointError
            When the loss is not finite.
        MemoryError
            When the device has too little memory.
        """
        losses: list[float] = []
        start, first, last_report = time.monotonic(), self.step, time.monotonic()
        while self.step < self.own.steps:
            with memory_advice(f"tile_diffusion.{self.stage.name}.batch_size"):
                losses.append(self._train_step())
            if not math.isfinite(losses[-1]):
                raise FloatingPointError(
                    f"The training of {self.stage.name} diverged at step {self.step}: lower "
                    f"tile_diffusion.{self.stage.name}.learning_rate."
                )
            now = time.monotonic()
            if now - last_report > SECONDS_BETWEEN_REPORTS:
                last_report = now
                left = (now - start) / (self.step - first) * (self.own.steps - self.step)
                logger.info(
                    "%s: step %d of %d, loss %.4f, about %.0f s left",
                    self.stage.name,
                    self.step,
                    self.own.steps,
                    np.mean(losses),
                    left,
                )
            if self.step % self.parameters.validate_every == 0 or self.step == self.own.steps:
                record = LossRecord(self.step, float(np.mean(losses)), self._validate())
                self.history.append(record)
                losses = []
                yield record

    def _train_step(self) -> float:
        generator = self._generator(1, self.step)
        chosen = torch.randint(len(self._train), (self.own.batch_size,), generator=generator)
        rate = self.own.learning_rate * self._rate_factor()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        loss = self._loss(
            self._train, chosen.numpy(), generator, self.parameters.condition_dropout, turn=True
        )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        self.step += 1
        decay = min(self.parameters.ema_decay, (1 + self.step) / (EMA_WARM_UP + self.step))
        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                self._average[name].lerp_(weight, 1 - decay)
        return loss.item()

    def _rate_factor(self) -> float:
        warm = min(1.0, (self.step + 1) / self.parameters.warm_up_steps)
        if self.parameters.schedule == "constant":
            return warm
        return warm * 0.5 * (1 + math.cos(math.pi * self.step / self.own.steps))

    @torch.no_grad()
    def _validate(self) -> float:
        """Return the loss of the averaged weights on the same tiles with the same noise every time."""
        trained = {name: weight.clone() for name, weight in self.network.named_parameters()}
        self.network.load_state_dict(self._average, strict=False)
        self.network.eval()
        generator = self._generator(2, 0)
        n = min(self.parameters.validation_tiles, len(self._val))
        chosen = torch.randperm(len(self._val), generator=generator)[:n]
        total = 0.0
        for part in chosen.split(self.own.batch_size):
            loss = self._loss(self._val, part.numpy(), generator, 0.0, turn=False)
            total += loss.item() * len(part)
        self.network.load_state_dict(trained, strict=False)
        return total / n

    def _loss(
        self,
        tiles: TrainingTiles,
        chosen: NDArray[np.int64],
        generator: torch.Generator,
        dropout: float,
        *,
        turn: bool,
    ) -> Tensor:
        """Return the mean squared error of the network on its preconditioned target."""
        n = len(chosen)
        images = tiles.read(chosen)
        if turn:
            # A tile has no up and no left.
            flips = torch.randint(2, (2, n), generator=generator).bool().numpy()
            images[flips[0]] = images[flips[0], ::-1]
            images[flips[1]] = images[flips[1], :, ::-1]
        clean, low = self.stage.clean_and_low(images)
        sigma = draw_sigma(n, self.own.log_sigma_mean, self.own.log_sigma_sd, generator)
        noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
        hidden = torch.rand(n, generator=generator) < dropout
        factors = Preconditioning.at(sigma)
        inputs, levels = factors.in_ * noisy, factors.noise[:, None]
        if not self.stage.is_base:
            largest = self.parameters.augmentation
            amounts = torch.rand(2, n, generator=generator)
            noise = torch.randn(low.shape, generator=generator)
            seen = degrade(
                low,
                self.stage.size,
                largest.noise * amounts[0],
                largest.blur * amounts[1],
                noise,
                largest,
            )
            inputs = torch.cat([inputs, seen.tiles], 1)
            levels = torch.cat([levels, seen.levels], 1)
        codes = torch.from_numpy(tiles.codes[chosen])
        target = factors.target(clean, noisy).to(self._device)
        given = [part.to(self._device) for part in (inputs, levels, codes, hidden)]
        with torch.autocast(
            self._device.type, self._precision, enabled=self._precision != torch.float32
        ):
            output = self.network(*given)
        return (output.float() - target).square().mean()

    def _generator(self, purpose: int, step: int) -> torch.Generator:
        words = np.random.SeedSequence([self.parameters.seed, purpose, step]).generate_state(2)
        return torch.Generator().manual_seed(int(words[0]) << 31 ^ int(words[1]))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return the averaged weights."""
        return {name: _copied(weight) for name, weight in self._average.items()}

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return all that is needed to go on: arrays, and what is no array."""
        arrays = {f"average/{name}": array for name, array in self.weights().items()}
        for name, weight in self.network.named_parameters():
            arrays[f"weight/{name}"] = _copied(weight)
            moments = self._optimizer.state.get(weight, {})
            for moment in MOMENTS:
                if moment in moments:
                    arrays[f"{moment}/{name}"] = _copied(moments[moment])
        return arrays, {"step": self.step, "history": [asdict(record) for record in self.history]}

    def load_state(self, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> None:
        """Go on from a state of :meth:`state`."""
        self.step = int(metadata["step"])
        self.history = [LossRecord(**record) for record in metadata["history"]]
        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                weight.copy_(torch.from_numpy(arrays[f"weight/{name}"]))
                self._average[name].copy_(torch.from_numpy(arrays[f"average/{name}"]))
                self._optimizer.state[weight] = {
                    "step": torch.tensor(float(self.step)),
                    **{
                        moment: torch.from_numpy(arrays[f"{moment}/{name}"].copy()).to(self._device)
                        for moment in MOMENTS
                    },
                }


def _copied(weight: Tensor) -> NDArray[np.float32]:
    """Return values that do not change when the training goes on."""
    return weight.detach().cpu().numpy().copy()
