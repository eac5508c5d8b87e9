from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays, fingerprint_frame
from tcga_coherent.figures.consensus import draw_consensus_weights
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.diffusion_training.nodes import (
    draw_training_curves_of_families,
    fit_linear_experts,
    learn_consensus,
    select_denoisers,
)
from tests.pipelines.latent_cohort import (
    ALL_SETS,
    MODALITIES,
    SAMPLING,
    SIZES,
    TRAINING,
    lazily,
    load_trained,
    make_conditions,
    make_encoders,
    make_latents,
    make_split,
    train,
)

PAIRS = {f"{a}_from_{b}" for a in SIZES for b in SIZES if a != b}
VALIDATIONS = TRAINING.max_steps // TRAINING.validation.every


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def split() -> pd.DataFrame:
    return make_split()


@pytest.fixture(scope="module")
def latents(split: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return make_latents(split)


@pytest.fixture(scope="module")
def encoders() -> dict[str, Checkpoint]:
    return make_encoders()


@pytest.fixture(scope="module")
def states(latents, split, encoders) -> dict[str, dict[str, list[Checkpoint]]]:
    """All states of both families, by target."""
    return {
        family: {target: train(family, target, latents, split, encoders) for target in SIZES}
        for family in ("single", "multi")
    }


def select(states: dict[str, list[Checkpoint]]) -> tuple[dict[str, Checkpoint], pd.DataFrame]:
    """Return the models of all targets of a family, and their history."""
    selected = [select_denoisers(found[-1]) for found in states.values()]
    return (
        {name: model for models, _ in selected for name, model in models.items()},
        pd.concat([history for _, history in selected], ignore_index=True),
    )


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    assert one.metadata == other.metadata
    assert set(one.arrays) == set(other.arrays)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)


def test_a_state_is_yielded_at_every_validation_and_the_models_last(states) -> None:
    # cna is of size 3 from 3 and 3 from 2, rnaseq likewise; rppa is of 2 from 3 twice.
    stacks = {"single": {"cna": 2, "rnaseq": 2, "rppa": 1}, "multi": dict.fromkeys(SIZES, 1)}
    for family, of_target in stacks.items():
        for target, n_stacks in of_target.items():
            finished = [state.metadata["finished"] for state in states[family][target]]
            assert finished == [False] * n_stacks * VALIDATIONS + [True]
    single, history = select(states["single"])
    assert set(single) == PAIRS
    assert list(history.columns) == [
        "model", "step", "train_loss", "energy_score", "mse", "best",
    ]  # fmt: skip
    assert len(history) == len(PAIRS) * VALIDATIONS
    multi, _ = select(states["multi"])
    assert set(multi) == set(SIZES)
    assert multi["cna"].metadata["sources"] == ["rnaseq", "rppa"]


def test_a_model_keeps_its_best_validation_and_says_what_it_belongs_to(
    states, latents, encoders
) -> None:
    models, history = select(states["single"])
    conditions = make_conditions(latents)
    for name, model in models.items():
        rows = history[history["model"] == name]
        best = rows.loc[rows["energy_score"].idxmin()]
        assert model.metadata["step"] == best["step"]
        assert model.metadata["validation"]["energy_score"] == pytest.approx(best["energy_score"])
        target, source = name.split("_from_")
        assert (model.metadata["target"], model.metadata["sources"]) == (target, [source])
        assert model.metadata["fingerprints"] == {
            "latents": {m: fingerprint_frame(conditions[m]) for m in (target, source)},
            "encoders": {m: fingerprint_arrays(encoders[m].arrays) for m in (target, source)},
        }
        shared = latents[target].index.intersection(latents[source].index)
        n_train = sum(patient < "TCGA-AA-0110" for patient in shared)
        assert model.metadata["n_train"] == n_train == 90


def test_patients_of_the_test_split_leave_no_trace_in_a_model(
    states, latents, split, encoders
) -> None:
    test = split.index[split["split"] == "test"]
    changed = {name: frame.copy() for name, frame in latents.items()}
    for frame in changed.values():
        frame.loc[test] += np.float32(10)
    models, _ = select(
        {target: train("single", target, changed, split, encoders) for target in SIZES}
    )
    before, _ = select(states["single"])
    for name in PAIRS:
        for weight, array in before[name].arrays.items():
            np.testing.assert_array_equal(array, models[name].arrays[weight])


def test_consensus_weights_sum_to_one_at_every_noise_level(
    states, latents, split, encoders
) -> None:
    models, _ = select(states["single"])
    multi, _ = select(states["multi"])
    conditions = make_conditions(latents)
    linear = {
        target: fit_linear_experts(latents, conditions, lazily(encoders), split, ALL_SETS, target)
        for target in SIZES
    }
    trained = load_trained(latents, {"single": models, "multi": multi, "linear": linear})
    learned = {
        target: learn_consensus(
            latents, conditions, split, trained, ALL_SETS, TRAINING, SAMPLING, target
        )
        for target in SIZES
    }
    consensus = {target: checkpoint for target, (checkpoint, _) in learned.items()}
    weights = pd.concat([rows for _, rows in learned.values()])
    for target, checkpoint in consensus.items():
        others = [f"{target}_from_{name}" for name in SIZES if name != target]
        experts = [f"{target}_linear_in_{'+'.join(sources)}" for sources in ALL_SETS[target]]
        names = [*others, *experts, target, "standard_normal"]
        assert checkpoint.metadata["denoisers"] == names
    columns = ["composed", "learned", "inverse_mse"]
    sums = weights.groupby(["target", "timestep"])[columns].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    expert = weights["expert"] == "standard_normal"
    assert (weights["learned"] >= 0).all()
    assert (weights.loc[~expert, "composed"] >= 0).all()
    assert (weights.loc[expert, ["learned", "inverse_mse"]] == 0).all(axis=None)
    weights_of_sources = weights[weights["expert"] == "denoiser"]
    # The paper's weights: the same at every noise level, inverse to the error on validation.
    for target, rows in weights_of_sources.groupby("target"):
        paper = rows.groupby("source")["inverse_mse"].agg(["min", "max"])
        np.testing.assert_allclose(paper["min"], paper["max"])
        errors = pd.Series(
            {s: models[f"{target}_from_{s}"].metadata["validation"]["mse"] for s in paper.index}
        )
        np.testing.assert_allclose(paper["min"], (1 / errors) / (1 / errors).sum(), rtol=1e-5)
    assert isinstance(draw_consensus_weights(weights, parse_modalities(MODALITIES)), Figure)


def test_the_multi_condition_model_is_weighed_given_each_set_of_sources(
    states, latents, split, encoders
) -> None:
    models = {family: select(states[family])[0] for family in ("single", "multi")}
    conditions = make_conditions(latents)
    trained = load_trained(latents, models)
    sampling = replace(SAMPLING, multi_expert=True)
    target = next(iter(SIZES))
    checkpoint, weights = learn_consensus(
        latents, conditions, split, trained, ALL_SETS, TRAINING, sampling, target
    )
    others = [name for name in SIZES if name != target]
    singles = [f"{target}_from_{name}" for name in others]
    experts = [f"{target}_multi_from_{'+'.join(sources)}" for sources in ALL_SETS[target]]
    assert checkpoint.metadata["denoisers"] == [*singles, *experts, target, "standard_normal"]
    multi = weights[weights["expert"] == "multi"]
    assert set(multi["source"]) == {"+".join(others)}
    assert multi["composed"].max() > 0
    assert (multi["inverse_mse"] == 0).all()
    sums = weights.groupby("timestep")[["composed", "learned", "inverse_mse"]].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    (legend,) = draw_consensus_weights(weights, parse_modalities(MODALITIES)).legends
    assert "multi-condition" in [text.get_text() for text in legend.get_texts()]


def test_the_curves_of_both_families_are_drawn(states) -> None:
    histories = {family: select(found)[1] for family, found in states.items()}
    figure = draw_training_curves_of_families(
        histories["single"], histories["multi"], parse_modalities(MODALITIES)
    )
    assert isinstance(figure(), Figure)
    assert len(figure().axes) >= 2
