from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from matplotlib.figure import Figure

from tcga_coherent.cohort import read_cohort
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.pipelines.privacy import unconditional
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.pipelines.privacy.unconditional import (
    draw_unconditional_figure,
    measure_unconditional,
    tabulate_unconditional,
)
from tcga_coherent.privacy.generation.experiment import ALL, UnconditionalParameters
from tcga_coherent.privacy.generation.figure import TITLES, Projection
from tcga_coherent.reported import ReportedByPaper
from tests.pipelines.latent_cohort import (
    SAMPLING,
    SIZES,
    lazily,
    load_trained,
    make_codes,
    make_encoders,
    make_latents,
    make_split,
    train_all,
)


@pytest.fixture(scope="module")
def configured(repo_root: Path) -> dict:
    """Parameters of base, by group."""
    folder = repo_root / "conf/base/parameters"
    return {
        name: yaml.safe_load((folder / f"{name}.yml").read_text(encoding="utf-8"))[name]
        for name in ("privacy", "reported_by_paper")
    }


@pytest.fixture(scope="module")
def parameters(configured: dict) -> PrivacyParameters:
    return replace(
        PrivacyParameters(**configured["privacy"]),
        bootstrap=BootstrapParameters(repeats=10, level=0.9),
        unconditional=UnconditionalParameters(
            n_repeats=2, k=3, max_rows=40, n_neighbors=5, min_dist=0.1
        ),
    )


@pytest.fixture(scope="module")
def inputs() -> list:
    """Cohort and trained models."""
    torch.set_num_threads(1)
    split = make_split()
    latents = make_latents(split)
    presence = pd.DataFrame({name: split.index.isin(latents[name].index) for name in SIZES})
    presence.index = split.index
    models = train_all(latents, split, make_encoders())
    return [
        read_cohort(lazily(latents), split, presence, codes=lazily(make_codes(latents))),
        load_trained(latents, models),
    ]


def measure(inputs: list, parameters: PrivacyParameters, finished: dict) -> dict[str, pd.DataFrame]:
    yielded = measure_unconditional(
        *inputs, make_split(), lazily(finished), SAMPLING, parameters, 1
    )
    return {name: frame for part in yielded for name, frame in part.items()}


@pytest.fixture(scope="module")
def repeats(inputs: list, parameters: PrivacyParameters) -> dict[str, pd.DataFrame]:
    return measure(inputs, parameters, {})


def test_what_is_kept_of_generation_from_nothing_are_numbers_alone(repeats) -> None:
    assert {name.split("/")[1] for name in repeats} == {"0", "1", "complete"}
    for frame in repeats.values():
        # One number a method and metric: no row that was generated.
        assert set(frame.columns) <= {
            "space", "method", "repeat", "note", "n_train", "n_rows", "precision", "recall", "f1",
            "energy_distance", "energy_distance_low", "energy_distance_high",
        }  # fmt: skip


def test_repeats_that_are_there_are_not_made_again(
    inputs, parameters, repeats, monkeypatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("this repeat is there")

    monkeypatch.setattr(unconditional, "compare_with_training_patients", refuse)
    again = measure(inputs, parameters, {k: v for k, v in repeats.items() if "complete" not in k})
    (complete,) = again
    pd.testing.assert_frame_equal(again[complete], repeats[complete])


def test_other_sampling_makes_other_repeats(inputs, parameters, repeats) -> None:
    yielded = measure_unconditional(
        *inputs, make_split(), lazily(repeats), replace(SAMPLING, n_steps=4), parameters, 1
    )
    assert set(next(filter(None, yielded))) & set(repeats) == set()


def test_table3_puts_the_paper_beside_the_repeats(inputs, parameters, repeats, configured) -> None:
    reported = ReportedByPaper(**configured["reported_by_paper"])
    table = tabulate_unconditional(lazily(repeats), inputs[0], parameters, reported).set_index(
        ["space", "method"]
    )
    assert set(table.index.unique("space")) == {ALL, *SIZES}
    assert np.isfinite(table[["f1_mean", "f1_std", "energy_distance_mean"]]).all(axis=None)
    assert table.loc[(ALL, "multi"), "paper_f1_mean"] == 0.1423
    assert table.loc[(ALL, "coherent"), "paper_energy_distance_mean"] == 2.1056
    assert (table["n_repeats"] == 2).all()


def test_figure_5_is_drawn_of_models_and_cohort(inputs, parameters, monkeypatch) -> None:
    def project(audited, settings, seed):
        assert list(audited.cohort.latents) == list(SIZES)
        assert set(audited.models.multi) == set(SIZES)
        assert (audited.sampling, settings, seed) == (SAMPLING, parameters.unconditional, 0)
        points = np.arange(6.0).reshape(3, 2)
        return [Projection(name, points, dict.fromkeys(TITLES, points)) for name in ("PCA", "UMAP")]

    # The maps have tests of their own.
    monkeypatch.setattr(unconditional, "project_unconditional", project)
    figure = draw_unconditional_figure(*inputs, SAMPLING, parameters)()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 2 * len(TITLES)


def test_figure_5_says_why_it_cannot_be_drawn(inputs, parameters) -> None:
    settings = replace(parameters.unconditional, n_neighbors=500)
    few = replace(parameters, unconditional=settings)
    figure = draw_unconditional_figure(*inputs, SAMPLING, few)()
    (text,) = figure.texts
    assert "complete training patients are too few" in text.get_text()
