from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.histology.cascade.training import finished_stage, load_stage, train_stage
from tests.histology.cascade.test_trainer import PARAMETERS
from tests.histology.stored_tiles import StoredTiles, colored

PATIENTS = [f"P{n}" for n in range(6)]
SPLIT = pd.Series(["train"] * 3 + ["val"] * 2 + ["test"], index=PATIENTS)
CODES = pd.DataFrame(
    np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32), index=PATIENTS
)
STORE = StoredTiles([(p, colored(40 * n + 5 * k)) for n, p in enumerate(PATIENTS) for k in (0, 1)])
CPU = torch.device("cpu")


def renamed(store):
    other = copy(store)
    other.identities = {"all": "another"}
    return other


def run(name="base", store=STORE, codes=CODES, split=SPLIT, former=None, parameters=PARAMETERS):
    return list(train_stage(name, store, codes, split, former or Checkpoint({}), parameters, CPU))


def test_a_stage_is_gone_on_with_and_loaded_with_its_averaged_weights():
    states = run("super_resolution")
    assert [state.metadata.get("finished", False) for state in states] == [False, False, True]
    (last,) = run("super_resolution", former=states[1])
    for key, array in states[-1].arrays.items():
        assert np.array_equal(array, last.arrays[key]), key
    # What is finished stays.
    assert len(run("super_resolution", former=last)) == 1

    checkpoint, history = finished_stage(last)
    assert history["stage"].eq("super_resolution").all()
    assert history["step"].tolist() == [2, 4, 6]
    stage = load_stage(checkpoint, CODES, CPU)
    weights = dict(stage.network.named_parameters())
    assert weights.keys() == checkpoint.arrays.keys()
    for key, array in checkpoint.arrays.items():
        assert np.array_equal(weights[key].detach().numpy(), array)
    assert not stage.network.training


@pytest.mark.parametrize("changed", ["codes", "parameters", "tiles", "slides"])
def test_a_training_of_other_inputs_is_not_gone_on_with(changed):
    former = run()[-1]
    other = {
        "codes": {"codes": CODES + 1},
        "parameters": {"parameters": replace(PARAMETERS, seed=1)},
        # The same tiles as far as their mean and spread say.
        "slides": {"store": renamed(STORE)},
        "tiles": {"store": StoredTiles([(p, colored(n)) for n, p in enumerate(PATIENTS)])},
    }[changed]
    assert len(run(former=former)) == 1
    assert len(run(former=former, **other)) == 3


def test_parameters_of_the_other_stage_and_what_it_alone_suffers_change_nothing():
    former = run()[-1]
    other = replace(
        PARAMETERS,
        super_resolution=replace(PARAMETERS.super_resolution, steps=7),
        augmentation=replace(PARAMETERS.augmentation, noise=0.3),
    )
    assert len(run(former=former, parameters=other)) == 1


def test_an_unfinished_training_is_not_taken_for_a_model():
    with pytest.raises(ValueError, match="not finished: run tile_diffusion again"):
        finished_stage(run()[0])


def test_a_model_of_other_codes_is_refused():
    checkpoint, _ = finished_stage(run()[-1])
    with pytest.raises(ValueError, match="trained with other expression codes"):
        load_stage(checkpoint, CODES + 1, CPU)


def test_tiles_of_another_size_are_named_with_the_key():
    large = StoredTiles([(p, colored(n, 32)) for n, p in enumerate(PATIENTS)])
    with pytest.raises(ValueError, match=r"32 pixels .*super_resolution\.size is 16"):
        run(store=large)


def test_a_part_without_tiles_is_named():
    with pytest.raises(ValueError, match="No val patient has tiles"):
        run(split=SPLIT.replace("val", "test"))
    with pytest.raises(ValueError, match="No train patient has tiles"):
        run(store=StoredTiles([("P5", colored(1))]))


def test_codes_that_are_no_numbers_stop():
    with pytest.raises(ValueError, match="not finite"):
        run(codes=CODES.where(CODES.max().max() > CODES))


def test_one_training_and_one_validation_tile_are_enough():
    few = StoredTiles([("P0", colored(10)), ("P3", colored(90))])
    assert run(store=few)[-1].metadata["finished"]
