import numpy as np
import pandas as pd
import pytest

from steps import draw_steps, summarise_steps


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [("ddpm", 1.0, 1000, "a", 0, 90.0, 0.3), ("ddpm", 1.0, 1000, "b", 0, 90.0, 0.5)]
    for seed, r2_of_mean in enumerate((0.2, 0.3)):
        rows += [("ddim", 0.0, 10, "a", seed, 1.0, r2_of_mean)]
        rows += [("ddim", 0.0, 10, "b", seed, 2.0, r2_of_mean + 0.2)]
    columns = ["sampler", "eta", "n_steps", "target", "seed", "seconds", "r2_of_mean"]
    return pd.DataFrame(rows, columns=columns).assign(crps=0.4, coverage_90=0.9)


def test_targets_are_averaged_and_the_spread_is_over_seeds(table: pd.DataFrame) -> None:
    summary = summarise_steps(table).set_index("sampler")
    # Means over the targets are 0.3 and 0.4 for the two seeds.
    assert summary.loc["ddim", "r2_of_mean"] == pytest.approx(0.35)
    assert summary.loc["ddim", "r2_of_mean_sd"] == pytest.approx(np.std([0.3, 0.4], ddof=1))
    assert np.isnan(summary.loc["ddpm", "r2_of_mean_sd"])


def test_times_of_the_targets_add_up(table: pd.DataFrame) -> None:
    summary = summarise_steps(table).set_index("sampler")
    assert summary["seconds"].to_dict() == {"ddim": 3.0, "ddpm": 180.0}


def test_every_sampler_has_a_line_and_all_timesteps_a_level(table: pd.DataFrame) -> None:
    figure = draw_steps(summarise_steps(table))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(labels) == ["1000 ancestral steps", "ddim, eta 0"]
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "R2 of the mean draw",
        "CRPS",
        "coverage of 90 % intervals",
        "time (s)",
    ]
