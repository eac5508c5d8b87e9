"""Screening and release card of a small run."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from tcga_coherent.cohort import read_cohort
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion.generation import draws_frame
from tcga_coherent.diffusion.config import CompletionConfig
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.pipelines.privacy.release_card import write_release_card
from tcga_coherent.pipelines.privacy.screening import screen_generated
from tcga_coherent.privacy.screening.experiment import COMPLETED, HELD_OUT, REGENERATED, TEST
from tcga_coherent.report.parts import Parts
from tcga_coherent.source_sets import generative_methods, partition_name
from tests.pipelines.latent_cohort import (
    MODALITIES,
    SAMPLING,
    SIZES,
    lazily,
    make_encoders,
    make_latents,
    make_split,
    train_all,
)


@pytest.fixture(scope="module")
def parameters(repo_root: Path) -> PrivacyParameters:
    file = repo_root / "conf/base/parameters/privacy.yml"
    base = PrivacyParameters(**yaml.safe_load(file.read_text(encoding="utf-8"))["privacy"])
    return replace(base, screening=replace(base.screening, nominal_rate=0.25))


@pytest.fixture(scope="module")
def cohort() -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    split = make_split()
    latents = make_latents(split)
    presence = pd.DataFrame({name: split.index.isin(latents[name].index) for name in SIZES})
    presence.index = split.index
    return latents, split, presence


def repeated(frame: pd.DataFrame, shift: float) -> pd.DataFrame:
    values = frame.to_numpy()[:, None, :] + [[[-shift], [shift]]]
    return draws_frame(frame.index, values, frame.columns)


@pytest.fixture(scope="module")
def screened(cohort, parameters):
    """Test patients get draws far from everybody, one completed patient is a copy of another."""
    latents, split, presence = cohort
    names = list(SIZES)
    test = split.index[split["split"] == "test"]
    drawn, completed, regenerated = {}, {}, {}
    for target, frame in latents.items():
        training = frame.loc[frame.index.intersection(split.index[split["split"] == "train"])]
        others = tuple(name for name in names if name != target)
        lacking = split.index.difference(frame.index)
        copy = pd.DataFrame(
            training.to_numpy()[[0] * len(lacking)], index=lacking, columns=frame.columns
        )
        completed[target] = pd.concat([repeated(frame, 30.0), repeated(copy, 1e-4)])
        for method in ("multi", "coherent"):
            drawn[partition_name(target, method, others)] = repeated(frame.loc[test], 30.0)
            regenerated[f"{target}/{method}"] = repeated(training, 1e-4)
    return screen_generated(
        lazily(drawn), lazily(completed), lazily(regenerated),
        read_cohort(lazily(latents), split, presence), parse_modalities(MODALITIES), CompletionConfig(), parameters,
    )  # fmt: skip


def test_copies_among_completed_patients_are_named_and_far_draws_are_not(cohort, screened) -> None:
    latents, split, _ = cohort
    report, table, _ = screened
    assert not (report["records"].eq(TEST) & report["kind"].eq("draw")).any()
    copied = report[(report["records"] == COMPLETED) & (report["kind"] == "draw")]
    for target, frame in latents.items():
        own = copied[copied["modality"] == target]
        assert set(own["patient_id"]) == set(split.index.difference(frame.index))
        train = frame.index.intersection(split.index[split["split"] == "train"])
        assert set(own["closest_patient"]) <= {train[0]}
    draws = table[table["kind"] == "draw"].set_index(["records", "against"]).sort_index()
    assert (draws.loc[(TEST, "all"), "flagged"] == 0).all()
    assert (draws.loc[(REGENERATED, "all"), "closest_is_own"] == 1).all()
    assert (draws.loc[(REGENERATED, "others"), "closest_is_own"] == 0).all()
    assert HELD_OUT not in set(report["records"])


def test_the_card_of_a_small_run_states_its_tables_and_names_no_patient(
    cohort, screened, parameters
) -> None:
    torch.set_num_threads(1)
    latents, split, _ = cohort
    encoders = make_encoders()
    models = train_all(latents, split, encoders)
    report, table, _ = screened
    parts = Parts("small", {"screening_report": lambda: report}, {})
    text = write_release_card(
        *(lazily(models[name]) for name in ("single", "multi", "consensus", "linear")),
        lazily(encoders), {}, {}, Checkpoint({}), parts, {name: name.upper() for name in SIZES}, SAMPLING, parameters,
        lazily({"screening_table": table}),
    )  # fmt: skip
    assert [name for name in split.index if str(name) in text] == []
    assert all(name in text for name in models["single"])
    nominal = 100 * table["nominal"].iloc[0]
    assert f"{nominal:.0f} % of patients never seen" in text
    assert "screening.csv is absent" not in text
    assert "privacy_attacks.csv is absent" in text


def test_of_two_modalities_the_draws_that_sampling_writes_are_screened(cohort, parameters) -> None:
    latents, split, presence = cohort
    pair = {name: latents[name] for name in list(SIZES)[:2]}
    test = split.index[split["split"] == "test"]
    drawn, completed, regenerated = {}, {}, {}
    for target, frame in pair.items():
        sources = tuple(name for name in pair if name != target)
        train = frame.loc[frame.index.intersection(split.index[split["split"] == "train"])]
        for method in generative_methods(sources):
            drawn[partition_name(target, method, sources)] = repeated(frame.loc[test], 30.0)
        for method in ("multi", "coherent"):
            regenerated[f"{target}/{method}"] = repeated(train, 1e-4)
        completed[target] = repeated(frame, 30.0)
    _, table, _ = screen_generated(
        lazily(drawn), lazily(completed), lazily(regenerated),
        read_cohort(lazily(pair), split, presence[list(pair)]),
        parse_modalities({name: MODALITIES[name] for name in pair}), CompletionConfig(), parameters,
    )  # fmt: skip
    assert set(table.loc[table["records"] == TEST, "method"]) == {"single", "multi", "coherent"}
