"""A user's own patients, completed by trained models with one command."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.end_to_end.projects import SMALL_BUDGETS, SMALL_FEATURES, Project
from tests.end_to_end.raw_files import average_or_choose, read_raw_samples

MODALITIES = tuple(SMALL_FEATURES)
N_DRAWS = SMALL_BUDGETS["coherent_sampling"]["n_draws"]
STRANGER = "TCGA-ZZ-0001"
# What the pipeline reads of a trained project, and what the identities of it are checked against.
TRAINED = ("03_primary/demo", "05_model_input/demo", "06_models/demo")


@dataclass(frozen=True)
class Completion:
    """A run of the pipeline.

    Attributes
    ----------
    cohort
        The run of the main job whose models it used.
    output
        Folder of its results.
    members
        Patients of the cohort, with the modalities that they have there.
    complete
        Patients of the test split, here without copy numbers.
    """

    cohort: Project
    output: Path
    members: pd.Index
    complete: pd.Index

    def read(self, part: str, modality: str) -> pd.DataFrame:
        return pd.read_parquet(self.output / part / f"{modality}.parquet")

    def read_cohort(self, part: str, modality: str) -> pd.DataFrame:
        folder = self.cohort.path("07_model_output", "completed_cohort")
        return pd.read_parquet(folder / part / f"{modality}.parquet")


def hashes(folder: Path) -> dict[Path, str]:
    """Hash all files but the times that nodes took, which every run records."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "node_times"
    }


@pytest.fixture(scope="module")
def raw(demo: Project) -> dict[str, pd.DataFrame]:
    """Raw matrices of the demo, samples x features, normal samples and second vials included."""
    return {name: read_raw_samples(demo, name) for name in MODALITIES}


@pytest.fixture(scope="module")
def trained(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return demo.clone(tmp_path_factory.mktemp("trained") / "demo", *TRAINED)


@pytest.fixture(scope="module")
def completion(
    demo: Project,
    trained: Project,
    raw: dict[str, pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Completion:
    presence = pd.read_parquet(demo.path("05_model_input", "presence.parquet"))
    split = pd.read_parquet(demo.path("05_model_input", "split.parquet"))["split"]
    patients_of = {name: frame.index.str.slice(0, 12) for name, frame in raw.items()}
    # Missing values of training patients are imputed from others in the cohort, but here from
    # all training patients, themselves included: only those without any come out the same.
    measured = raw["rppa"].loc[:, raw["rppa"].isna().mean() < 0.2]
    gaps = patients_of["rppa"][measured.isna().any(axis=1)]
    incomplete = presence[~presence.all(axis=1) & ~presence.index.isin(gaps)]
    members = incomplete.groupby(list(MODALITIES)).head(2).index
    complete = split.index[(split == "test") & ~split.index.isin(gaps)][:3]

    folder = tmp_path_factory.mktemp("new")
    (folder / "in").mkdir()
    for name, frame in raw.items():
        here = patients_of[name].isin(members[presence.loc[members, name]])
        if name != "cna":
            here |= patients_of[name].isin(complete)
        samples = frame[here]
        if name in ("rnaseq", "rppa"):
            first = frame[patients_of[name] == complete[0]]
            samples = pd.concat([samples, first.set_axis([f"{STRANGER}-01A"] * len(first))[:1]])
        samples.T.to_parquet(folder / "in" / f"{name}.parquet")
    trained.command(
        "--pipeline",
        "complete",
        "--params",
        f"completion.input_dir={folder / 'in'},completion.output_dir={folder / 'out'}",
    )
    return Completion(demo, folder / "out", members, complete)


def test_the_chosen_patients_miss_different_modalities(completion: Completion, raw) -> None:
    flags = pd.read_parquet(completion.output / "flags.parquet")
    patterns = flags[flags["status"] == "generated"].groupby("patient_id")["modality"].agg(tuple)
    assert patterns.nunique() >= 5
    assert set(patterns.explode()) == set(MODALITIES)


def test_every_part_is_written_for_every_patient_and_nothing_else(completion: Completion) -> None:
    everyone = sorted([*completion.members, *completion.complete, STRANGER])
    parts = ("latent_mean", "latent_sd", "latent_draws", "decoded_mean", "decoded_sd")
    files = {str(path.relative_to(completion.output)) for path in completion.output.rglob("*.*")}
    assert files == {
        "completion.json",
        "flags.parquet",
        "predictions.parquet",
        "priorities.parquet",
        "provenance.parquet",
        "completion.html",
        *(f"{part}/{name}.parquet" for part in parts for name in MODALITIES),
    }
    for name in MODALITIES:
        for part in parts:
            frame = completion.read(part, name)
            if part == "latent_draws":
                assert frame.index.names == ["patient_id", "draw"]
                assert list(frame.index) == [(p, k) for p in everyone for k in range(N_DRAWS)]
            else:
                assert frame.index.name == "patient_id"
                assert list(frame.index) == everyone
    flags = pd.read_parquet(completion.output / "flags.parquet")
    assert set(zip(flags["patient_id"], flags["modality"], strict=True)) == {
        (patient, name) for patient in everyone for name in MODALITIES
    }


def test_patients_of_the_cohort_get_the_latents_of_the_cohort_run(completion: Completion) -> None:
    for name in MODALITIES:
        for part in ("latent_draws", "latent_mean", "latent_sd", "decoded_mean"):
            found = completion.read(part, name).loc[completion.members]
            expected = completion.read_cohort(part, name).loc[completion.members]
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_draws_are_those_of_the_test_split_from_the_same_sources(completion: Completion) -> None:
    draws = completion.cohort.path("07_model_output", "test_draws/cna/coherent")
    expected = pd.read_parquet(draws / "rnaseq+rppa+wsi.parquet").loc[completion.complete]
    found = completion.read("latent_draws", "cna").loc[completion.complete]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_same_values_under_another_name_get_other_noise(completion: Completion) -> None:
    known = completion.complete[0]
    for name in ("rnaseq", "rppa"):
        latents = completion.read("latent_mean", name)
        np.testing.assert_allclose(latents.loc[STRANGER], latents.loc[known], atol=1e-5)
    draws = completion.read("latent_draws", "cna")
    assert np.abs(draws.loc[STRANGER].to_numpy() - draws.loc[known].to_numpy()).min() > 1e-4


def test_observed_values_pass_through_unchanged(completion: Completion, raw) -> None:
    flags = pd.read_parquet(completion.output / "flags.parquet")
    observed = flags[(flags["status"] == "observed") & (flags["patient_id"] != STRANGER)]
    for name, patients in observed.groupby("modality")["patient_id"]:
        expected = average_or_choose(raw[name], name)
        mean = completion.read("decoded_mean", name).loc[patients]
        np.testing.assert_allclose(
            mean, expected.loc[patients, mean.columns], rtol=1e-6, atol=1e-6, equal_nan=True
        )
        sd = completion.read("decoded_sd", name).loc[patients]
        assert (sd.fillna(0) == 0).all(axis=None)


def test_the_multi_model_completes_from_one_file_alone(
    completion: Completion, trained: Project, raw, tmp_path: Path
) -> None:
    before = hashes(trained.root / "data")
    (tmp_path / "in").mkdir()
    rppa = raw["rppa"]
    samples = rppa[rppa.index.str.slice(0, 12).isin(completion.complete)]
    samples.T.to_parquet(tmp_path / "in/rppa.parquet")
    trained.run(
        "complete",
        params={
            "completion": {
                "method": "multi",
                "input_dir": str(tmp_path / "in"),
                "output_dir": str(tmp_path / "out"),
            }
        },
    )
    flags = pd.read_parquet(tmp_path / "out/flags.parquet")
    generated = flags[flags["status"] == "generated"]
    assert len(generated) == 3 * len(completion.complete)
    assert set(generated["sources"]) == {"rppa"}
    draws = completion.cohort.path("07_model_output", "test_draws")
    for name in ("cna", "rnaseq", "wsi"):
        expected = pd.read_parquet(draws / name / "multi/rppa.parquet").loc[completion.complete]
        found = pd.read_parquet(tmp_path / f"out/latent_draws/{name}.parquet")
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert hashes(trained.root / "data") == before
