from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import conditions
from environment import Environment


@pytest.fixture(scope="module")
def table(environment: Environment) -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions, "SEEDS", (0, 1))
        short = replace(environment, training=replace(environment.training, max_steps=20))
        return conditions.compare(short, ["rppa"])


def test_both_kinds_are_trained_and_drawn_with_linear_experts_and_without(table) -> None:
    counts = table.groupby(["conditions", "linear_experts"]).size()
    assert counts.to_dict() == {
        (kind, used): 2 for kind in ("latents", "latents_and_prediction") for used in (False, True)
    }
    means = table.groupby("linear_experts")["r2_of_mean"].mean()
    # The modalities share one factor linearly, of which little is learned in so few steps.
    assert means[True] > means[False] + 0.05


def test_the_summary_is_over_seeds_and_the_figure_has_a_panel_a_target(
    table, environment: Environment
) -> None:
    summary = conditions.summarise(table)
    assert len(summary) == 4
    first = table[(table["conditions"] == "latents") & ~table["linear_experts"]]
    np.testing.assert_allclose(summary["r2_of_mean"].iloc[0], first["r2_of_mean"].mean())
    ridge = conditions.ridge_on_features(environment, ["rppa"])
    assert ridge["rppa"] > 0.3
    figure = conditions.draw(summary, ridge)
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 1
