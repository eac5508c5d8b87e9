import re

import numpy as np
import pandas as pd
import pytest
import torch

from quality import last_line, mean_over_targets, measure
from tcga_coherent.measures.calibration import crps
from tcga_coherent.measures.fidelity import r2

PLAIN = {"r2_of_mean": 0.25, "crps": 0.45, "coverage_90": 0.9}
FAST = {"r2_of_mean": 0.31, "crps": 0.4, "coverage_90": 0.89}


def test_the_last_line_holds_the_ratio_and_the_quality_of_both_versions() -> None:
    line = last_line(61.237, PLAIN, FAST)
    pairs = dict(pair.split("=") for pair in line.split(" "))
    assert line.startswith("ratio=61.24 ")
    assert {name: float(value) for name, value in pairs.items()} == {
        "ratio": 61.24,
        "r2_of_mean_plain": 0.25,
        "r2_of_mean_fast": 0.31,
        "crps_plain": 0.45,
        "crps_fast": 0.4,
        "coverage_90_plain": 0.9,
        "coverage_90_fast": 0.89,
    }


def test_a_ratio_that_was_not_reached_is_no_number() -> None:
    assert re.match(r"ratio=nan r2_of_mean_plain=", last_line(float("nan"), PLAIN, FAST))


@pytest.fixture
def draws() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((50, 40, 3)))


def test_exchangeable_draws_have_the_nominal_coverage(draws: torch.Tensor) -> None:
    truth = torch.from_numpy(np.random.default_rng(1).standard_normal((50, 3)))
    assert measure(truth, draws, antithetic=False)["coverage_90"] == pytest.approx(0.9, abs=0.06)


def test_the_mean_of_all_draws_is_scored_but_the_spread_of_each_antithetic_half(
    draws: torch.Tensor,
) -> None:
    truth = torch.from_numpy(np.random.default_rng(1).standard_normal((50, 3)))
    mirrored = torch.cat([draws[:, :20], -draws[:, :20]], dim=1)
    scores = measure(truth, mirrored, antithetic=True)
    by_draw = mirrored.numpy().transpose(1, 0, 2)
    halves = [crps(truth.numpy(), by_draw[:20]), crps(truth.numpy(), by_draw[20:])]
    assert scores["crps"] == pytest.approx(np.mean(halves))
    # The mirrored draws cancel.
    assert scores["r2_of_mean"] == pytest.approx(r2(truth.numpy(), np.zeros((50, 3))))


def test_targets_count_alike_however_many_seeds_they_have() -> None:
    table = pd.DataFrame(
        {
            "target": ["a", "a", "a", "b"],
            "r2_of_mean": [0.1, 0.2, 0.3, 0.4],
            "crps": [1.0, 1.0, 1.0, 2.0],
            "coverage_90": [0.9, 0.9, 0.9, 0.8],
        }
    )
    assert mean_over_targets(table) == pytest.approx(
        {"r2_of_mean": 0.3, "crps": 1.5, "coverage_90": 0.85}
    )
