"""A further modality is configuration: no code knows how many there are."""

from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.projects import Project, small_demo

FIVE = ("cna", "rnaseq", "rppa", "wsi", "methylation")

# In the demo's globals: how its raw files are simulated.
SIMULATION = {
    "source": {"format": "xena", "kind": "methylation450"},
    "scale": "unchanged",
    "features": 35,
    "factors": {"common": {"variance": 0.5, "fidelity": 0.8}},
    "level": [-2.0, 2.0],
    "spread": [0.3, 0.6],
    "measured": 0.9,
}

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


@pytest.fixture(scope="module")
def project(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = small_demo(repo_root, tmp_path_factory.mktemp("five") / "demo")
    project.change_globals({"simulation": {"modalities": {"methylation": SIMULATION}}})
    project.change_parameters({"modalities": {"methylation": SETTINGS}})
    # Five modalities have 30 patterns of missing ones: little of each is enough.
    small = {"modalities": ["methylation"]}
    shadows = {"canaries": {"copies": [1], "n_alternatives": 7}, "n_draws": 4, "n_steps": 4}
    project.change_parameters(
        {
            "evaluation": {"counterfactual": small, "forests": {"n_trees": 5}},
            "privacy": {
                "bootstrap": {"repeats": 50},
                "unconditional": {"n_repeats": 2, "max_rows": 50},
                "attacks": {"nearest_records": {"n_permutations": 20}, "shadows": shadows},
            },
        }
    )
    wanted = ["table1_reconstruction_figure", "table4_cohort_table", "completed_cohort.flags"]
    project.run(to_outputs=[*wanted, "table2_rescue_table", "fig4_counterfactual_table"])
    project.run("privacy", to_outputs=["table3_privacy_table", "privacy_attacks_table"])
    return project


def test_all_pairs_and_targets_get_their_denoisers(project: Project) -> None:
    single = {path.stem for path in project.path("06_models", "single").glob("*.safetensors")}
    multi = {path.stem for path in project.path("06_models", "multi").glob("*.safetensors")}
    assert len(single) == 20
    assert single == {f"{a}_from_{b}" for a in FIVE for b in FIVE if a != b}
    assert multi == set(FIVE)


def test_tables_have_five_targets_and_all_sets_of_their_sources(project: Project) -> None:
    table = pd.read_csv(project.path("08_reporting", "table1_reconstruction.csv"))
    assert set(table["target"]) == set(FIVE)
    expected = {"single": 4, "coherent": 11, "multi": 15, "ridge": 15, "knn": 15, "mean": 15}
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
    assert decoded.shape == (len(presence), SIMULATION["features"])
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
