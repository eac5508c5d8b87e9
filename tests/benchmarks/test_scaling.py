import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch

import scaling
from scaling import Point

CPU = torch.device("cpu")
POINT = Point("patients", 30, 4, 2, 6, 3, "cpu", 1)


def test_every_axis_varies_alone() -> None:
    points = pd.DataFrame([asdict(point) for point in scaling.plan(CPU, 100_000, threads=1)])
    sizes = ["patients", "draws", "sources", "latent_size"]
    for axis, rows in points.groupby("axis"):
        assert rows[axis].is_monotonic_increasing
        assert rows[axis].is_unique
        assert len(rows[[name for name in sizes if name != axis]].drop_duplicates()) == 1
    assert points["patients"].max() == 100_000


def test_a_point_fills_means_and_deviations_of_all_patients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    draw_block = scaling.draw_block

    def watch(*arguments) -> torch.Tensor:
        draws = draw_block(*arguments)
        seen.append(draws.shape)
        return draws

    monkeypatch.setattr(scaling, "draw_block", watch)
    monkeypatch.setattr(scaling, "BLOCK_ROWS", 40)
    row = scaling.measure_point(POINT)
    # The first draws warm up; blocks of ten patients follow.
    assert seen == [(8, 4, 6), (10, 4, 6), (10, 4, 6), (10, 4, 6)]
    assert row["inputs_mb"] * 2**20 == pytest.approx(2 * 30 * 6 * 4)
    assert row["outputs_mb"] * 2**20 == pytest.approx(2 * 30 * 6 * 4)
    assert row["seconds"] > 0
    assert row["peak_mb"] > 50


def test_draws_do_not_depend_on_the_block() -> None:
    ensemble = scaling.untrained_ensemble(POINT, CPU)
    generator = torch.Generator().manual_seed(0)
    conditions = {f"source{i}": torch.randn(30, 6, generator=generator) for i in range(2)}
    whole = scaling.draw_block(ensemble, conditions, slice(0, 30))
    part = scaling.draw_block(ensemble, conditions, slice(10, 20))
    torch.testing.assert_close(part, whole[10:20])


def test_untrained_networks_have_no_draw_rejected() -> None:
    ensemble = scaling.untrained_ensemble(replace(POINT, sources=5), CPU)
    conditions = {f"source{i}": torch.randn(10, 6) for i in range(5)}
    assert ensemble.draw(conditions, torch.arange(10)).attempts.max() == 1


def test_the_script_measures_a_point_in_a_process_of_its_own() -> None:
    ballast = np.ones(125_000_000)
    done = subprocess.run(
        [sys.executable, scaling.__file__, "--point", json.dumps(asdict(POINT))],
        capture_output=True,
        text=True,
        check=True,
    )
    row = json.loads(done.stdout)
    assert row["patients"] == 30
    assert row["peak_mb"] < ballast.nbytes / 2**20


def test_a_failed_point_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(POINT, device="nowhere")
    monkeypatch.setattr(scaling, "plan", lambda *_: [broken])
    with pytest.raises(RuntimeError, match=r"Point\(axis='patients'.*nowhere.*failed"):
        scaling.run(CPU, 1_000, 1)


def make_table(exponent: float) -> pd.DataFrame:
    patients = np.array([1_000, 10_000, 100_000, 1_000_000])
    return pd.DataFrame(
        {
            "axis": "patients",
            "patients": patients,
            "draws": 2,
            "sources": 3,
            "latent_size": 32,
            "steps": 5,
            "seconds": (patients / 1e4) ** exponent,
            "working_mb": 20.0,
            "device_mb": 0.0,
        }
    )


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_the_exponent_of_time_is_found(exponent: float) -> None:
    assert scaling.time_exponent(make_table(exponent)) == pytest.approx(exponent)


def test_the_figure_has_logarithmic_axes_of_time_and_memory() -> None:
    figure = scaling.draw_scaling(make_table(1.0))
    above, below = figure.axes
    assert above.get_ylabel() == "time (s)"
    assert below.get_ylabel() == "working memory (MB)"
    assert {axes.get_yscale() for axes in figure.axes} == {"log"}
    assert below.get_xlabel() == "patients"
