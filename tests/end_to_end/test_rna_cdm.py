"""The whole of RNA-CDM on a few simulated tiles."""

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tests.end_to_end.projects import Project

TINY_UNET = {"channels": 8, "multipliers": [1, 2], "blocks": 1, "attention_sizes": [4]}
TINY_STAGE = {"unet": TINY_UNET, "batch_size": 8, "steps": 6}
TINY = {
    "compute": {"device": "cpu", "threads": 1},
    "slide_tiling": {"tile_size": 32},
    "expression_vae": {"encoder": "vae", "code_size": 4, "hidden": [16, 8], "max_epochs": 3},
    "tile_diffusion": {
        "base": {"size": 8, **TINY_STAGE},
        "super_resolution": {"size": 32, **TINY_STAGE},
        "validate_every": 3,
        "validation_tiles": 8,
    },
    "tile_sampling": {
        "tiles": 2,
        "moved": {"shifts": [-1, 1], "patients": 3},
        "base": {"steps": 2},
        "super_resolution": {"steps": 2},
    },
    # Noise has specks that would pass for nuclei of lymphocytes alone.
    "tile_evaluation": {
        "bootstrap": {"repeats": 50},
        "nuclei": {"lymphocyte_area": 10},
        "feature_size": 64,
    },
}
PARTS = ("slide_tiling", "expression_vae", "tile_diffusion", "tile_sampling", "tile_evaluation")


@pytest.fixture(scope="module")
def project(repo_root, tmp_path_factory):
    project = Project.copy(repo_root, tmp_path_factory.mktemp("projects") / "tiles", "demo")
    project.change_globals({"tissue": {"patients": 40, "tiles_per_patient": 2, "tile_size": 32}})
    project.change_parameters(TINY)
    project.run("rna_cdm")
    return project


def test_the_whole_job_ends_in_tables_figures_and_tiles_with_an_index(project):
    made = project.outputs("rna_cdm")
    assert made == project.outputs(*PARTS)
    catalog = project.catalog()
    assert [name for name in sorted(made) if not catalog.exists(name)] == []
    reports = project.path("08_reporting")
    table = pd.read_csv(reports / "tile_programmes.csv")
    assert set(table["programme"]) == {
        *("growth", "ploidy", "immune", "stroma", "metabolism", "translation")
    }
    assert table["moves"].sum() == 4
    generated = project.path("07_model_output", "generated_tiles")
    index = pd.read_parquet(generated / "index.parquet")
    assert {"patient_id", "number", "seed", "source", "file"} <= set(index)
    assert all((generated / file).is_file() for file in index["file"])
    n_test = (
        pd.read_parquet(project.path("03_primary", "tile_split.parquet"))["split"] == "test"
    ).sum()
    assert index["source"].value_counts().to_dict() == {
        "own": 2 * n_test,
        "shuffled": 2 * n_test,
        "moved": 3 * 2 * 6,
    }


def test_nothing_is_made_again_that_is_there(project):
    files = [
        project.path("03_primary", "tiles.lmdb/data.mdb"),
        project.path("06_models", "rna_cdm/base.safetensors"),
        project.path("07_model_output", "generated_tiles/index.parquet"),
    ]
    before = [file.stat().st_mtime_ns for file in files]
    project.run("rna_cdm", only_missing_outputs=True)
    assert [file.stat().st_mtime_ns for file in files] == before


def test_results_of_an_edited_model_are_not_drawn(project, tmp_path):
    layers = ("01_raw", "03_primary", "05_model_input", "06_models")
    copy = project.clone(tmp_path / "copy", *(f"{layer}/demo" for layer in layers))
    model = copy.path("06_models", "rna_cdm/base.safetensors")
    model.write_bytes(model.read_bytes()[:-4] + b"\x00\x00\x80\x3f")
    with pytest.raises(DatasetError, match=r"base\.safetensors is not as it was written"):
        copy.run("tile_sampling")
