"""Training goes on from what there is: finished models stay, an interrupted training is resumed."""

import dataclasses
import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.training.family import finished_denoisers
from tests.pipelines.latent_cohort import (
    TRAINING,
    make_encoders,
    make_latents,
    make_split,
    train,
)

VALIDATIONS = TRAINING.max_steps // TRAINING.validation.every
TARGET = "cna"
Latents = dict[str, pd.DataFrame]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def split() -> pd.DataFrame:
    return make_split()


@pytest.fixture(scope="module")
def latents(split: pd.DataFrame) -> Latents:
    return make_latents(split)


@pytest.fixture(scope="module")
def states(latents: Latents, split: pd.DataFrame) -> dict[str, list[Checkpoint]]:
    """All states of both families of a target: two stacks of one pair, and one multi model."""
    torch.set_num_threads(1)
    return {family: train_from(None, family, latents, split) for family in ("single", "multi")}


def train_from(
    former: Checkpoint | None,
    family: str,
    latents: Latents,
    split: pd.DataFrame,
    config: TrainingConfig = TRAINING,
) -> list[Checkpoint]:
    encoders = make_encoders() | {
        name: Checkpoint({"axes": np.full(1, 9.0)}) for name in latents if name == "methylation"
    }
    return train(family, TARGET, latents, split, encoders, former, config)


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    assert one.metadata == other.metadata
    assert set(one.arrays) == set(other.arrays)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)


def trained(states: Sequence[Checkpoint]) -> set[str]:
    """Return the denoisers that were in training in any of the states."""
    return {name for state in states for name in state.metadata.get("in_training", {})}


@pytest.mark.parametrize("family", ["single", "multi"])
def test_training_goes_on_from_any_state_to_the_same_models(
    family: str, states, latents: Latents, split: pd.DataFrame
) -> None:
    whole = states[family]
    for number in sorted({0, VALIDATIONS - 1, len(whole) - 2}):
        resumed = train_from(whole[number], family, latents, split)
        # Nothing is trained twice.
        assert len(resumed) == len(whole) - 1 - number
        assert_same(resumed[-1], whole[-1])


def test_a_training_killed_between_two_stacks_keeps_the_finished_one(
    states, latents: Latents, split: pd.DataFrame
) -> None:
    # The first validation of the second stack: the first is finished there.
    resumed = train_from(states["single"][VALIDATIONS], "single", latents, split)
    assert trained(resumed) == {"cna_from_rppa"}
    assert_same(resumed[-1], states["single"][-1])


@pytest.mark.parametrize("family", ["single", "multi"])
def test_finished_denoisers_are_not_trained_again(
    family: str, states, latents: Latents, split: pd.DataFrame
) -> None:
    again = train_from(states[family][-1], family, latents, split)
    assert [state.metadata["finished"] for state in again] == [True]
    assert_same(again[0], states[family][-1])


def test_a_new_source_trains_its_pair_and_leaves_the_others(
    states, latents: Latents, split: pd.DataFrame
) -> None:
    more = {**latents, "methylation": latents["rppa"] + np.float32(0.5)}
    again = train_from(states["single"][-1], "single", more, split)
    assert trained(again) == {"cna_from_methylation"}
    before, after = (finished_denoisers(run[-1]) for run in (states["single"], again))
    assert list(after) == [*before, "cna_from_methylation"]
    for name, model in before.items():
        assert_same(after[name], model)
    history = pd.DataFrame(again[-1].metadata["history"])
    assert (history["model"].value_counts() == VALIDATIONS).all()
    assert set(history["model"]) == set(after)


def test_a_new_source_trains_the_multi_model_anew(
    states, latents: Latents, split: pd.DataFrame
) -> None:
    more = {**latents, "methylation": latents["rppa"] + np.float32(0.5)}
    again = train_from(states["multi"][-1], "multi", more, split)
    assert trained(again) == {TARGET}
    model = finished_denoisers(again[-1])[TARGET]
    assert model.metadata["sources"] == ["rnaseq", "rppa", "methylation"]


def test_other_latents_of_a_source_train_what_has_it(
    states, latents: Latents, split: pd.DataFrame
) -> None:
    smaller = {**latents, "rppa": latents["rppa"].iloc[:, :1]}
    again = train_from(states["single"][-1], "single", smaller, split)
    assert trained(again) == {"cna_from_rppa"}
    before, after = (finished_denoisers(run[-1]) for run in (states["single"], again))
    assert_same(after["cna_from_rnaseq"], before["cna_from_rnaseq"])
    fresh = finished_denoisers(train_from(None, "single", smaller, split)[-1])
    assert_same(after["cna_from_rppa"], fresh["cna_from_rppa"])
    history = pd.DataFrame(again[-1].metadata["history"])
    assert (history["model"].value_counts() == VALIDATIONS).all()


@pytest.mark.parametrize("what", ["patients", "target", "config"])
def test_what_every_pair_depends_on_trains_all_anew(
    what: str, states, latents: Latents, split: pd.DataFrame
) -> None:
    config = TRAINING
    if what == "patients":
        split = split.copy()
        split.iloc[100, 0] = "val"
    elif what == "target":
        latents = {**latents, TARGET: latents[TARGET] + np.float32(1)}
    else:
        config = dataclasses.replace(TRAINING, seed=1)
    again = train_from(states["single"][-1], "single", latents, split, config)
    assert trained(again) == {"cna_from_rnaseq", "cna_from_rppa"}
    assert_same(again[-1], train_from(None, "single", latents, split, config)[-1])


@pytest.mark.parametrize("what", ["config", "latents", "split"])
def test_an_interrupted_training_of_other_latents_or_parameters_is_discarded(
    what: str, states, latents: Latents, split: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    config = TRAINING
    if what == "config":
        config = dataclasses.replace(TRAINING, seed=1)
    elif what == "latents":
        latents = {**latents, "rnaseq": latents["rnaseq"] + np.float32(1)}
    else:
        split = split.copy()
        split.iloc[100, 0] = "val"
    with caplog.at_level(logging.WARNING):
        again = train_from(states["single"][1], "single", latents, split, config)
    assert "has other latents or parameters than this one" in caplog.text
    assert len(again) == len(states["single"])
    assert_same(again[-1], train_from(None, "single", latents, split, config)[-1])


def test_a_modality_that_is_taken_away_takes_its_pairs_along(
    states, latents: Latents, split: pd.DataFrame
) -> None:
    less = {name: frame for name, frame in latents.items() if name != "rppa"}
    again = train_from(states["single"][-1], "single", less, split)
    assert trained(again) == set()
    assert list(finished_denoisers(again[-1])) == ["cna_from_rnaseq"]
    assert {record["model"] for record in again[-1].metadata["history"]} == {"cna_from_rnaseq"}


def test_models_of_an_unfinished_training_are_refused(states) -> None:
    with pytest.raises(ValueError, match=r"not finished\. Run the diffusion_training pipeline ag"):
        finished_denoisers(states["single"][0])
