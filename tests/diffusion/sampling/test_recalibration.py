import dataclasses

import numpy as np
import pytest

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.sampling.recalibration import (
    Recalibration,
    fit_spread,
    fitted_settings,
)
from tcga_coherent.measures.calibration import crps

CONFIG = SamplingConfig()


@pytest.mark.parametrize("n_pairs", [2, 20])
@pytest.mark.parametrize("too_wide", [0.5, 1.0, 1.6])
def test_normal_draws_get_the_spread_of_the_truth(too_wide, n_pairs):
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((400, 5))
    truth = mean + rng.standard_normal((400, 5))
    noise = rng.standard_normal((n_pairs, 400, 5))
    draws = mean + too_wide * np.concatenate([noise, -noise])
    assert fit_spread(truth, draws) == pytest.approx(1 / too_wide, rel=0.06)


def test_the_spread_has_the_least_crps_of_a_grid():
    rng = np.random.default_rng(1)
    truth, noise = rng.standard_t(4, (60, 3)), 2 * rng.standard_normal((10, 60, 3))
    draws = np.concatenate([noise, -noise])
    found = fit_spread(truth, draws)
    grid = np.linspace(0.2, 2, 181)
    scores = [np.mean([crps(truth, spread * half) for half in (noise, -noise)]) for spread in grid]
    assert found == pytest.approx(grid[int(np.argmin(scores))], abs=0.011)


def recalibration(config: SamplingConfig = CONFIG) -> Recalibration:
    return Recalibration({"a/coherent/b+c": 0.8}, fitted_settings(config), {"a_from_b": 1.0})


def test_what_was_not_fitted_is_named():
    fitted = recalibration()
    assert fitted.spread("a", "coherent", ("b", "c")) == 0.8
    with pytest.raises(ValueError, match=r"No recalibration was fitted for a/multi/b\. Run"):
        fitted.spread("a", "multi", ("b",))


def test_sources_without_a_factor_have_that_of_the_set_that_differs_least():
    spreads = {"a/single/b": 0.5, "a/coherent/b+c": 0.6, "a/coherent/b+c+d+e": 0.7}
    fitted = Recalibration({**spreads, "a/multi/b": 0.8, "x/coherent/c+d": 0.9}, {}, {})
    assert fitted.fitted_sources("a", "coherent", ("b", "c")) == ("b", "c")
    # One source more or less of b+c+d: the larger set, whose members are all of these.
    assert fitted.fitted_sources("a", "coherent", ("b", "c", "d")) == ("b", "c", "d", "e")
    assert fitted.spread("a", "coherent", ("b", "c", "d")) == 0.7
    assert fitted.spread("a", "single", ("c",)) == 0.5
    assert fitted.spread("a", "coherent", ("b",)) == 0.6
    assert fitted.spread("a", "multi", ("c", "d")) == 0.8


def test_the_number_of_draws_may_change_but_not_how_they_are_made():
    fitted = recalibration()
    free = dataclasses.replace(
        CONFIG, n_draws=6, temperature=0.5, chunk_rows=1, seed=3, antithetic=False
    )
    fitted.check(free, {"a_from_b": 1.0})
    with pytest.raises(ValueError, match="n_steps was 20 and is 10"):
        fitted.check(dataclasses.replace(CONFIG, n_steps=10), {"a_from_b": 1.0})
    with pytest.raises(ValueError, match="weights was composed and is equal"):
        fitted.check(dataclasses.replace(CONFIG, weights="equal"), {"a_from_b": 1.0})


def test_factors_of_other_denoisers_are_refused():
    with pytest.raises(ValueError, match="denoiser a_from_b was trained again"):
        recalibration().check(CONFIG, {"a_from_b": 1.1})
