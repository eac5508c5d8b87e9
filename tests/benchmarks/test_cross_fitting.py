import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import cross_fitting
from environment import Environment


def test_either_half_of_validation_fits_the_spread_of_the_same_draws(
    environment: Environment,
) -> None:
    table = pd.DataFrame(cross_fitting.cross_fit(environment, half=0, seed=0))
    assert table["target"].value_counts().to_dict() == dict.fromkeys(environment.latents, 2)
    same, other = (
        table[table["fitted_on"] == part].set_index("target") for part in ("same", "other")
    )
    assert (same["spread"] != other["spread"]).all()
    # Wider draws cover more: the order of the factors is that of the coverage.
    wider = other["spread"] > same["spread"]
    assert ((other["coverage_90"] >= same["coverage_90"]) | ~wider).all()
    assert ((other["coverage_90"] <= same["coverage_90"]) | wider).all()
    assert isinstance(cross_fitting.draw(table), Figure)


def test_the_difference_is_that_of_the_runs_and_its_spread_theirs() -> None:
    rows = [
        {"seed": seed, "half": half, "target": target, "fitted_on": part}
        | dict.fromkeys(cross_fitting.MEASURES, value)
        for seed, half, step in ((0, 0, 0.1), (0, 1, 0.3))
        for target in ("cna", "rppa")
        for part, value in (("same", 1.0), ("other", 1.0 + step))
    ]
    summary = cross_fitting.summarise(pd.DataFrame(rows))
    np.testing.assert_allclose(summary["same"], 1.0)
    np.testing.assert_allclose(summary["difference"], 0.2)
    np.testing.assert_allclose(summary["sd_over_runs"], np.std([0.1, 0.3], ddof=1))
