import dataclasses

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

import weights
from environment import Environment, trained_models
from sampling import raw_draws


def test_members_that_agree_alike_keep_their_weights(environment: Environment) -> None:
    config = raw_draws(environment.sampling)
    models = trained_models(environment)
    sources = environment.sources("cna")
    composed, aware = (
        weights.ensemble(models, "cna", sources, config, kind)
        for kind in ("composed", "coherence_aware")
    )
    torch.testing.assert_close(aware.weights, composed.weights)
    # Two members always agree with each other alike.
    estimates = torch.randn(2, 3, 7)
    torch.testing.assert_close(aware._combine(1, estimates), composed._combine(1, estimates))


def test_a_member_that_points_elsewhere_loses_weight_and_the_sum_stays(
    environment: Environment,
) -> None:
    config = raw_draws(environment.sampling)
    aware = weights.ensemble(
        trained_models(environment), "cna", environment.sources("cna"), config, "coherence_aware"
    )
    aware.weights = torch.full((1, 3), 0.5)
    directions = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.5]]).unsqueeze(2)
    for member in range(3):
        # One member at a time: the result is its weight times its estimate.
        alone = torch.zeros_like(directions)
        alone[member] = directions[member]
        assert torch.isfinite(aware._combine(0, alone)).all()
    combined = aware._combine(0, directions)
    plain = 0.5 * directions.sum(dim=0)
    assert combined[0] > plain[0]
    same = torch.ones(3, 2, 1)
    torch.testing.assert_close(aware._combine(0, same), 1.5 * same[0])


def test_every_kind_is_scored_on_both_splits_and_drawn(
    environment: Environment, monkeypatch
) -> None:
    monkeypatch.setattr(weights, "SEEDS", (0, 1))
    table = weights.compare_weights(environment)
    assert len(table) == 6 * 3 * 2 * 2
    assert np.isfinite(table[list(weights.MEASURES)]).all(axis=None)
    assert isinstance(weights.draw(weights.summarise(table)), Figure)


def test_temperature_zero_is_the_mean_of_all_draws(environment: Environment, monkeypatch) -> None:
    monkeypatch.setattr(weights, "DRAWS", (2, 6))
    small = dataclasses.replace(environment)
    readings = weights.compare_readings(small)
    pivot = pd.pivot_table(readings, index="reading", columns="target", values="r2")
    np.testing.assert_allclose(
        pivot.loc["one draw at temperature 0"],
        pivot.loc["mean of 6 antithetic draws"],
        atol=1e-5,
    )
    assert (pivot.loc["one draw at temperature 0.5"] > pivot.loc["one draw at temperature 1"]).all()
