"""The main job on the demo cohort, from raw files to completed patients and tables."""

import struct
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.datasets.checkpoint import CheckpointDataset
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.source_sets import generative_methods
from tests.end_to_end.projects import SMALL_BUDGETS, SMALL_FEATURES, Project
from tests.end_to_end.raw_files import average_or_choose, read_raw_samples

MODALITIES = tuple(SMALL_FEATURES)
TABLE1_COLUMNS = [
    "target",
    "method",
    "source",
    "r2_mean",
    "r2_std",
    "variance_percent",
    "r2_of_mean",
    "crps",
    "coverage_50",
    "coverage_90",
]
FLAG_COLUMNS = ["patient_id", "modality", "status", "sources", "coherence", "accepted", "reason"]
N_DRAWS = SMALL_BUDGETS["coherent_sampling"]["n_draws"]


def completed(demo: Project, part: str, modality: str) -> pd.DataFrame:
    folder = demo.path("07_model_output", "completed_cohort")
    return pd.read_parquet(folder / part / f"{modality}.parquet")


@pytest.fixture(scope="module")
def presence(demo: Project) -> pd.DataFrame:
    return pd.read_parquet(demo.path("05_model_input", "presence.parquet"))


@pytest.fixture(scope="module")
def flags(demo: Project) -> pd.DataFrame:
    return pd.read_parquet(demo.path("07_model_output", "completed_cohort/flags.parquet"))


def test_every_output_of_the_main_job_exists(demo: Project) -> None:
    catalog = demo.catalog()
    outputs = demo.outputs("__default__")
    assert len(outputs) > 30
    assert [name for name in sorted(outputs) if not catalog.exists(name)] == []


def test_nothing_half_written_is_left_behind(demo: Project) -> None:
    leftovers = [path for path in demo.root.rglob("*") if path.suffix in {".partial", ".former"}]
    assert leftovers == []


def test_figures_are_images_that_show_something(demo: Project) -> None:
    figures = list(demo.path("08_reporting").glob("*.png"))
    assert {"table1_reconstruction", "fig1_umap", "training_curves", "quality_control"} <= {
        figure.stem for figure in figures
    }
    for figure in figures:
        content = figure.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert min(width, height) > 300
        # A page without content packs to a few kilobytes.
        assert len(content) > 20_000, figure


def test_table1_has_every_method_on_every_set_of_sources(demo: Project) -> None:
    table = pd.read_csv(demo.path("08_reporting", "table1_reconstruction.csv"))
    assert set(TABLE1_COLUMNS) <= set(table.columns)
    assert table[TABLE1_COLUMNS].notna().all(axis=None)
    expected = set()
    for target in MODALITIES:
        others = [name for name in MODALITIES if name != target]
        subsets = [subset for size in (1, 2, 3) for subset in combinations(others, size)]
        assert len(subsets) == 7  # of 28 in all
        for subset in subsets:
            for method in (*generative_methods(subset), *BASELINES):
                expected.add((target, method, "+".join(subset)))
    found = list(table[["target", "method", "source"]].itertuples(index=False, name=None))
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_a_denoiser_is_trained_for_every_pair_and_every_target(demo: Project) -> None:
    single = {path.stem for path in demo.path("06_models", "single").glob("*.safetensors")}
    multi = {path.stem for path in demo.path("06_models", "multi").glob("*.safetensors")}
    assert single == {f"{a}_from_{b}" for a in MODALITIES for b in MODALITIES if a != b}
    assert multi == set(MODALITIES)


def test_completed_parts_have_every_patient_and_modality(
    demo: Project, presence: pd.DataFrame
) -> None:
    patients = list(presence.index)
    for name in MODALITIES:
        for part in ("latent_mean", "latent_sd", "decoded_mean", "decoded_sd"):
            frame = completed(demo, part, name)
            assert frame.index.name == "patient_id"
            assert list(frame.index) == patients, (part, name)
        draws = completed(demo, "latent_draws", name)
        assert draws.index.names == ["patient_id", "draw"]
        assert list(draws.index) == [(p, k) for p in patients for k in range(N_DRAWS)]


def test_flags_say_of_every_patient_and_modality_where_it_comes_from(
    flags: pd.DataFrame, presence: pd.DataFrame
) -> None:
    assert set(FLAG_COLUMNS) <= set(flags.columns)
    rows = flags.set_index(["patient_id", "modality"])
    assert rows.index.is_unique
    possible = rows[rows["status"] != "impossible"]
    assert set(possible.index) == {(p, m) for p in presence.index for m in MODALITIES}
    for (patient, modality), row in possible.iterrows():
        assert row["status"] == ("observed" if presence.loc[patient, modality] else "generated")
        sources = "+".join(name for name in MODALITIES if presence.loc[patient, name])
        assert row["sources"] == ("" if row["status"] == "observed" else sources)
    generated = rows[rows["status"] == "generated"]
    assert set(generated.index.unique("modality")) == set(MODALITIES)
    several = generated["sources"].str.contains("+", regex=False)
    # A denoiser and a linear expert of one source may disagree too.
    assert (generated.loc[several, "coherence"] > 0).any()
    assert (generated.loc[~several, "coherence"] > 0).any()
    assert generated["coherence"].between(0, 2).all()
    assert (generated["accepted"] == (generated["n_rejected"] == 0)).all()
    assert (generated.loc[~generated["accepted"], "reason"] != "").all()


def test_observed_values_pass_through_as_the_raw_files_have_them(
    demo: Project, presence: pd.DataFrame
) -> None:
    for name in MODALITIES:
        patients = presence.index[presence[name]]
        mean = completed(demo, "decoded_mean", name).loc[patients]
        raw = average_or_choose(read_raw_samples(demo, name), name).loc[patients]
        # Single precision, and sums in another order where slides are averaged.
        np.testing.assert_allclose(mean, raw[mean.columns], rtol=1e-6, atol=1e-6, equal_nan=True)
        sd = completed(demo, "decoded_sd", name).loc[patients]
        assert ((sd == 0) == raw[mean.columns].notna()).all(axis=None)
        latents = pd.read_parquet(demo.path("05_model_input", f"latents/{name}.parquet"))
        found = completed(demo, "latent_mean", name).loc[patients]
        pd.testing.assert_frame_equal(found, latents.loc[patients])
        assert (completed(demo, "latent_sd", name).loc[patients] == 0).all(axis=None)


def test_generated_values_are_finite_and_summarise_their_draws(
    demo: Project, presence: pd.DataFrame
) -> None:
    for name in MODALITIES:
        patients = presence.index[~presence[name]]
        assert len(patients)
        draws = completed(demo, "latent_draws", name).loc[patients]
        assert np.isfinite(draws).all(axis=None)
        by_patient = draws.to_numpy(float).reshape(len(patients), N_DRAWS, -1)
        for part, expected in (
            ("latent_mean", by_patient.mean(axis=1)),
            ("latent_sd", by_patient.std(axis=1, ddof=1)),
        ):
            found = completed(demo, part, name).loc[patients]
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
            assert np.isfinite(completed(demo, f"decoded_{part[7:]}", name).loc[patients]).all(
                axis=None
            )
        assert (completed(demo, "latent_sd", name).loc[patients] > 0).all(axis=None)


def test_decoded_values_are_the_draws_read_by_the_saved_decoder_in_input_units(
    demo: Project, presence: pd.DataFrame
) -> None:
    for name in MODALITIES:
        patients = presence.index[~presence[name]]
        draws = completed(demo, "latent_draws", name).loc[patients]
        encoder, preprocessor = (
            CheckpointDataset(
                filepath=str(demo.path("06_models", f"{kind}/{name}.safetensors"))
            ).load()
            for kind in ("encoders", "preprocessors")
        )
        fitted = Encoder.from_state(encoder.arrays, encoder.metadata)
        to_input_units = Preprocessor.from_state(
            preprocessor.arrays, preprocessor.metadata
        ).inverse_transform
        features = fitted.decode(draws)
        # A normal variable is as often above its mean by its standard deviation as below.
        above, below = (to_input_units(features + s * fitted.residual_sd) for s in (1, -1))
        decoded, lost = (above + below) / 2, (above - below) / 2
        by_patient = decoded.groupby(level="patient_id")
        between, beyond = by_patient.var(), (lost**2).groupby(level="patient_id").mean()
        for part, expected in (("mean", by_patient.mean()), ("sd", (between + beyond) ** 0.5)):
            found = completed(demo, f"decoded_{part}", name).loc[patients]
            np.testing.assert_allclose(found, expected.loc[patients], rtol=2e-3, atol=2e-3)
        if name == "cna":
            # Copies, not their logarithms.
            assert decoded.min(axis=None) > 0
            assert abs(decoded.median(axis=None) - 2) < 0.5
