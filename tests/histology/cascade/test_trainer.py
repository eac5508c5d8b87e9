import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tcga_coherent.histology.cascade.parameters import (
    CascadeParameters,
    StageParameters,
    UNetParameters,
)
from tcga_coherent.histology.cascade.stages import Stage, measure_scale, stage_of
from tcga_coherent.histology.cascade.trainer import StageTrainer, TrainingTiles

UNET = UNetParameters(channels=8, multipliers=(1, 2), blocks=1)
PARAMETERS = CascadeParameters(
    base=StageParameters(8, UNET, batch_size=4, steps=6, learning_rate=1e-3),
    super_resolution=StageParameters(16, UNET, batch_size=4, steps=6, learning_rate=1e-3),
    validate_every=2,
    validation_tiles=5,
    warm_up_steps=2,
    precision="float32",
)
RNG = np.random.default_rng(4)
CODES = RNG.standard_normal((12, 3)).astype(np.float32)
# A colour that the code tells, and some noise.
COLORS = 128 + 40 * CODES[:, None, None] + 5 * RNG.standard_normal((12, 16, 16, 3))
IMAGES = COLORS.clip(0, 255).astype(np.uint8)


def tiles(first, last):
    return TrainingTiles(lambda at: IMAGES[first:last][at], CODES[first:last])


def trainer(name="base", parameters=PARAMETERS):
    own = getattr(parameters, name)
    stage = stage_of(name, own, parameters.base, measure_scale(IMAGES, 8))
    return StageTrainer(stage, parameters, own, tiles(0, 8), tiles(8, 12), torch.device("cpu"))


@pytest.mark.parametrize("name", ["base", "super_resolution"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_training_that_was_interrupted_ends_where_an_uninterrupted_one_does(name, schedule):
    parameters = replace(PARAMETERS, schedule=schedule)
    whole = trainer(name, parameters)
    records = list(whole.train())
    assert [record.step for record in records] == [2, 4, 6]

    cut = trainer(name, parameters)
    next(cut.train())
    arrays, metadata = cut.state()
    # Through a file, nothing of the first remains.
    stored = {key: array.copy() for key, array in arrays.items()}
    resumed = trainer(name, parameters)
    resumed.load_state(stored, metadata)
    assert list(resumed.train()) == records[1:]
    ends = [one.state() for one in (whole, resumed)]
    assert ends[0][1] == ends[1][1]
    assert ends[0][0].keys() == ends[1][0].keys()
    for key, array in ends[0][0].items():
        assert np.array_equal(array, ends[1][0][key]), key


def test_a_stage_learns():
    parameters = replace(PARAMETERS, base=replace(PARAMETERS.base, steps=80), ema_decay=0.5)
    first, *_, last = trainer("base", parameters).train()
    assert last.val_loss < 0.8 * first.val_loss


def test_the_average_follows_the_weights_with_its_decay():
    own = trainer()
    start = {name: weight.detach().clone() for name, weight in own.network.named_parameters()}
    own._train_step()
    decay = min(0.9999, 2 / 11)
    for name, weight in own.network.named_parameters():
        expected = decay * start[name] + (1 - decay) * weight.detach()
        assert np.allclose(own.weights()[name], expected, atol=1e-7)


def test_the_rate_rises_and_then_falls_along_a_cosine():
    own = trainer(parameters=replace(PARAMETERS, schedule="cosine"))
    factors = []
    for own.step in (0, 2, 3, 6):
        factors.append(own._rate_factor())
    half = (1 + math.cos(math.pi / 3)) / 2
    assert factors == pytest.approx([0.5, half, 0.5, 0.0])


def test_a_loss_that_is_not_finite_stops_and_names_the_key(monkeypatch):
    own = trainer()
    monkeypatch.setattr(own, "_train_step", lambda: math.nan)
    with pytest.raises(FloatingPointError, match=r"lower tile_diffusion\.base\.learning_rate"):
        next(own.train())


def test_training_leaves_the_random_state_of_torch_as_it_was():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    next(trainer().train())
    assert torch.equal(torch.rand(1), expected)


def test_training_turns_tiles_over_in_both_directions_and_validation_does_not(monkeypatch):
    images = np.zeros((12, 16, 16, 3), np.uint8)
    images[:, :8, :4] = 200
    shown = []
    original = Stage.clean_and_low

    def record(stage, batch):
        shown.extend(
            (image[:8].mean() > image[8:].mean(), image[:, :8].mean() > image[:, 8:].mean())
            for image in batch
        )
        return original(stage, batch)

    own = trainer()
    monkeypatch.setattr(Stage, "clean_and_low", record)
    turned = TrainingTiles(lambda at: images[at].copy(), CODES)
    for step in range(8):
        own._loss(turned, np.arange(4), own._generator(1, step), 0.0, turn=True)
    assert set(shown) == {(True, True), (True, False), (False, True), (False, False)}
    shown.clear()
    own._loss(turned, np.arange(4), own._generator(1, 0), 0.0, turn=False)
    assert set(shown) == {(True, True)}
