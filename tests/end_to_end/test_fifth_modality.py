"""A further modality is configuration: no code knows how many there are, and only what is new is trained."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.end_to_end.projects import SMALL_FEATURES, Project

pytestmark = pytest.mark.runs

FIVE = ("cna", "rnaseq", "rppa", "wsi", "methylation")
N_FEATURES = 35

# In the parameters: how it is processed.
SETTINGS = {
    "label": "Methylation",
    "color": "#56B4E9",
    "steps": [{"drop_missing_features": {"max_missing": 0.1}}],
    "imputer": "median",
    "encoder": {"kind": "pca"},
    # Other than that of the four, so that no model may take sizes for equal.
    "latent_size": 4,
}
LAYERS = ("01_raw/demo", "02_intermediate/demo", "03_primary/demo", "04_feature/demo")
TRAINED = (*LAYERS, "05_model_input/demo", "06_models/demo", "08_reporting/demo")


def write_methylation(demo: Project, path: Path) -> None:
    """Write a matrix that says something of expression; a tenth of the training patients has none."""
    rng = np.random.default_rng(0)
    latents = pd.read_parquet(demo.path("05_model_input", "latents/rnaseq.parquet"))
    split = pd.read_parquet(demo.path("05_model_input", "split.parquet"))
    measured = split.loc[latents.index, "split"].ne("train") | (rng.random(len(latents)) < 0.9)
    latents = latents[measured]
    values = latents.to_numpy() @ rng.standard_normal((latents.shape[1], N_FEATURES))
    values += rng.standard_normal(values.shape)
    # Of SKCM metastases are measured, as in the other modalities.
    kinds = np.where(split.loc[latents.index, "cancer_type"] == "SKCM", "06A", "01A")
    samples = [f"{patient}-{kind}" for patient, kind in zip(latents.index, kinds, strict=True)]
    features = [f"cg{number:02d}" for number in range(N_FEATURES)]
    pd.DataFrame(values, samples, features).T.to_parquet(path)


@pytest.fixture(scope="module")
def project(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The trained demo, to which a modality is added."""
    folder = tmp_path_factory.mktemp("five")
    project = demo.clone(folder / "demo", *TRAINED)
    write_methylation(demo, folder / "methylation.parquet")
    entry = {
        "type": "tcga_coherent.datasets.raw.raw_modality.MatrixDataset",
        "filepath": str(folder / "methylation.parquet"),
        "metadata": {"kedro-viz": {"layer": "raw", "preview": False}},
    }
    (project.conf / "catalog" / "methylation.yml").write_text(
        yaml.safe_dump({"raw/methylation": entry})
    )
    # Five modalities have 30 patterns of missing ones: little of each is enough.
    small = {"modalities": ["methylation"]}
    shadows = {"canaries": {"copies": [1], "n_alternatives": 7}, "n_draws": 4, "n_steps": 4}
    project.change_parameters(
        {
            "modalities": {"methylation": SETTINGS},
            "evaluation": {"counterfactual": small, "forests": {"n_trees": 5}},
            "privacy": {
                "bootstrap": {"repeats": 50},
                "unconditional": {"n_repeats": 2, "max_rows": 50},
                "attacks": {"nearest_records": {"n_permutations": 20}, "shadows": shadows},
            },
        }
    )
    wanted = ["table1_reconstruction_figure", "table4_cohort_table"]
    wanted += [f"completed_cohort/decoded_mean/{name}" for name in FIVE]
    project.run(
        to_outputs=[*wanted, "table2_rescue_table", "fig4_counterfactual_table"],
        only_missing_outputs=True,
    )
    project.run("privacy", to_outputs=["table3_privacy_table", "privacy_attacks_table"])
    return project


def trained_before(demo: Project) -> list[Path]:
    """Return the files that a further modality must not change, below the data folder."""
    pairs = [f"{a}_from_{b}" for a in SMALL_FEATURES for b in SMALL_FEATURES if a != b]
    models = [f"encoders/{name}" for name in SMALL_FEATURES] + [f"single/{pair}" for pair in pairs]
    paths = [demo.path("06_models", f"{name}.safetensors") for name in models]
    paths += [demo.path("05_model_input", f"latents/{name}.parquet") for name in SMALL_FEATURES]
    paths.append(demo.path("05_model_input", "split.parquet"))
    return [path.relative_to(demo.root) for path in paths]


def test_split_encoders_and_pairs_of_the_others_stay_as_they_are_to_the_byte(
    demo: Project, project: Project
) -> None:
    kept = trained_before(demo)
    assert len(kept) == 4 + 12 + 4 + 1
    changed = [
        path
        for path in kept
        if (demo.root / path).read_bytes() != (project.root / path).read_bytes()
    ]
    assert changed == []
    presence = pd.read_parquet(project.path("05_model_input", "presence.parquet"))
    assert 0 < (~presence["methylation"]).sum() < len(presence) / 2


def test_another_latent_size_trains_what_has_the_modality_in_it(
    demo: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project = demo.clone(tmp_path / "demo", *TRAINED)
    with caplog.at_level("INFO"):
        project.run(
            "embedding",
            "diffusion_training",
            params={"modalities": {"rppa": {"latent_size": 5}}},
            only_missing_outputs=True,
        )
    trained = {
        name
        for message in caplog.messages
        if (found := re.match(r"Training \d+ denoisers together: (.*)", message))
        for name in found[1].split(", ")
    }
    pairs = {f"{a}_from_{b}" for a in SMALL_FEATURES for b in SMALL_FEATURES if a != b}
    assert trained == {pair for pair in pairs if "rppa" in pair} | set(SMALL_FEATURES)
    changed = {
        path.stem
        for path in trained_before(demo)
        if (demo.root / path).read_bytes() != (project.root / path).read_bytes()
    }
    assert changed == {"rppa"} | {pair for pair in pairs if "rppa" in pair}


def test_all_pairs_and_targets_get_their_denoisers(project: Project) -> None:
    single = {path.stem for path in project.path("06_models", "single").glob("*.safetensors")}
    multi = {path.stem for path in project.path("06_models", "multi").glob("*.safetensors")}
    assert len(single) == 20
    assert single == {f"{a}_from_{b}" for a in FIVE for b in FIVE if a != b}
    assert multi == set(FIVE)


def test_tables_have_five_targets_and_all_sets_of_their_sources(project: Project) -> None:
    table = pd.read_csv(project.path("08_reporting", "table1_reconstruction.csv"))
    assert set(table["target"]) == set(FIVE)
    expected = {
        "single": 4,
        "coherent": 11,
        "multi": 15,
        "ridge_features": 15,
        "ridge": 15,
        "knn": 15,
        "mean": 15,
    }
    for target in FIVE:
        assert table.loc[table["target"] == target, "method"].value_counts().to_dict() == expected
    table4 = pd.read_csv(project.path("08_reporting", "table4_cohort.csv"))
    assert {"methylation", "complete"} <= set(table4.columns)


def test_patients_are_completed_from_and_with_the_further_modality(project: Project) -> None:
    folder = project.path("07_model_output", "completed_cohort")
    presence = pd.read_parquet(project.path("05_model_input", "presence.parquet"))
    mean = pd.read_parquet(folder / "latent_mean/methylation.parquet")
    decoded = pd.read_parquet(folder / "decoded_mean/methylation.parquet")
    assert mean.shape == (len(presence), SETTINGS["latent_size"])
    assert decoded.shape == (len(presence), N_FEATURES)
    assert decoded.notna().all(axis=None)
    flags = pd.read_parquet(folder / "flags.parquet")
    generated = flags[flags["status"] == "generated"]
    assert (
        len(generated[generated["modality"] == "methylation"]) == (~presence["methylation"]).sum()
    )
    others = generated[generated["modality"] != "methylation"]
    assert others["sources"].str.contains("methylation").any()


def test_rescue_has_all_patterns_of_five_modalities(project: Project) -> None:
    table = pd.read_csv(project.path("08_reporting", "table2_rescue.csv"))
    patterns = {name for name in table["removed"].unique() if set(name.split("+")) <= set(FIVE)}
    # Every set of modalities but none and all.
    assert len(patterns) == 2**5 - 2
    own = table[(table["removed"] == "methylation") & (table["method"] == "coherent")]
    assert len(own) > 0
    assert own.filter(regex="_mean$").notna().any(axis=None)


def test_the_further_modality_is_generated_as_what_to_measure_next(project: Project) -> None:
    table = pd.read_csv(project.path("08_reporting", "fig4_counterfactual.csv"))
    assert set(table["modality"]) == {"methylation"}


def test_attacks_reach_all_five_modalities(project: Project) -> None:
    table = pd.read_csv(project.path("08_reporting", "privacy_attacks.csv"))
    for attack in ("nearest_record", "loss", "lira_online"):
        assert set(FIVE) <= set(table.loc[table["attack"] == attack, "target"])
    spaces = pd.read_csv(project.path("08_reporting", "table3_privacy.csv"))["space"]
    assert {*FIVE, "all"} <= set(spaces)
