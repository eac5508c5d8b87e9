"""Bad input stops a run with one sentence that names the culprit and the way out."""

import csv
import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io.core import DatasetError
from kedro.validation import ParameterValidationError

from tcga_coherent.datasets.checkpoint import Checkpoint, CheckpointDataset
from tests.end_to_end.projects import Project

BAD_FILE = "TCGA-LUAD.protein.tsv.gz"
LATENTS = ("05_model_input/demo", "06_models/demo/encoders")
MODELS = (
    "05_model_input/demo",
    *(f"06_models/demo/{kind}" for kind in ("single", "multi", "consensus")),
)

READERS_OF_LATENTS = [
    ("diffusion_training", "single/cna_from_rppa"),
    ("diffusion_training", "multi/cna"),
    ("coherent_sampling", "draws/cna"),
]


def stops(project: Project, *pipelines: str, **options: Any) -> str:
    """Run pipelines that must fail; return the message."""
    with pytest.raises((ValueError, DatasetError, ParameterValidationError)) as caught:
        project.run(*pipelines, **options)
    return str(caught.value)


def change_rows(path: Path, change: Callable[[list[list[str]]], None]) -> None:
    """Rewrite a compressed table after `change` of its cells."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    change(rows)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows(rows)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def replace_by_page(path: Path) -> None:
    path.write_bytes(b"<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>")


def replace_by_compressed_page(path: Path) -> None:
    path.write_bytes(gzip.compress(b"<html><body>Log in to go on</body></html>"))


def repeat_a_sample(path: Path) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[0][2] = rows[0][1]

    change_rows(path, change)


def write_text(path: Path) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[3][2] = "high"

    change_rows(path, change)


def rename_a_sample(path: Path) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[0][-1] = "TCGA-ZZ-9999-01A"

    change_rows(path, change)


@pytest.fixture
def raw(demo: Project, tmp_path: Path) -> Project:
    """The demo with its raw files alone."""
    return demo.clone(tmp_path / "demo", "01_raw/demo")


@pytest.fixture
def embedded(demo: Project, tmp_path: Path) -> Project:
    """The demo up to its latents."""
    return demo.clone(tmp_path / "demo", *LATENTS)


@pytest.fixture
def trained(demo: Project, tmp_path: Path) -> Project:
    """The demo up to its denoisers."""
    return demo.clone(tmp_path / "demo", *MODELS)


@pytest.mark.parametrize(
    ("spoil", "in_the_header", "message"),
    [
        (truncate, False, rf"{BAD_FILE} is truncated or damaged .*copy or download it again"),
        (replace_by_page, True, rf"{BAD_FILE} is an HTML page, though .*download it again"),
        (replace_by_compressed_page, True, rf"{BAD_FILE} is an HTML page instead of a table"),
        (repeat_a_sample, True, rf"{BAD_FILE} holds duplicate samples in its columns: 'TCGA-00-"),
        (
            write_text,
            False,
            rf"{BAD_FILE} holds text instead of a number at row 'rppa_002', .*'high'",
        ),
        (
            rename_a_sample,
            True,
            r"'rppa': 1 patients have no cancer type .* such as TCGA-ZZ-9999: add",
        ),
    ],
)
def test_a_spoiled_raw_file_stops_ingestion(
    spoil: Callable[[Path], None], in_the_header: bool, message: str, raw: Project
) -> None:
    spoil(raw.root / "data/01_raw/demo/xena" / BAD_FILE)
    found = stops(raw, "ingestion")
    assert re.search(message, found), found
    tables = raw.path("02_intermediate", "modality_tables")
    assert not (tables / "rppa.parquet").exists()
    # Names and headers of all modalities are looked at before the values of any are read.
    assert not (in_the_header and tables.exists())


def test_a_modality_of_other_patients_than_all_others_is_named(raw: Project) -> None:
    folder = raw.root / "data/01_raw/demo/xena"
    with_expression = {
        barcode[:12]
        for path in folder.glob("*.star_counts.tsv.gz")
        for barcode in pd.read_csv(path, sep="\t", index_col=0, nrows=0).columns
    }
    clinical = pd.read_csv(folder / "TCGA-GBM.clinical.tsv.gz", sep="\t", index_col=0).index
    without = iter(sorted({b[:12] for b in clinical} - with_expression))
    for path in folder.glob("*.protein.tsv.gz"):
        proteins = pd.read_csv(path, sep="\t", index_col=0).iloc[:, :2]
        proteins.columns = [f"{next(without)}-01A" for _ in proteins.columns]
        proteins.to_csv(path, sep="\t")
    found = stops(raw, "ingestion", params={"modalities": {"cna": None, "wsi": None}})
    assert "No patient of modality 'rnaseq' (such as TCGA-00-" in found
    assert "is in any other modality" in found
    assert "or leave it out by setting it to null" in found


def test_an_all_missing_feature_is_dropped_and_reported(raw: Project) -> None:
    def empty_first(rows: list[list[str]]) -> None:
        rows[1][1:] = [""] * len(rows[1][1:])

    for path in (raw.root / "data/01_raw/demo/xena").glob("*.protein.tsv.gz"):
        change_rows(path, empty_first)
    raw.run("ingestion", "preprocessing")
    report = pd.read_csv(raw.path("08_reporting", "quality_control.csv"))
    removed = report[(report["modality"] == "rppa") & (report["removed"] > 0)]
    assert removed["examples"].str.contains("rppa_000").sum() == 1
    processed = pd.read_parquet(raw.path("03_primary", "processed/rppa.parquet"))
    assert "rppa_000" not in processed
    assert "rppa_001" in processed


@pytest.fixture
def with_a_small_type(demo: Project, tmp_path: Path) -> Project:
    """Add a cancer type that has three of 303 patients."""
    project = demo.clone(tmp_path / "demo")
    measured = dict.fromkeys(("cna", "rnaseq", "rppa", "wsi"), 33)
    small = {"total": 33, "complete": 33, "measured": measured}
    project.change_globals({"simulation": {"patients": 303, "cohorts": {"TGCT": small}}})
    return project


def test_a_cancer_type_with_three_patients_is_named(with_a_small_type: Project) -> None:
    found = stops(with_a_small_type, "ingestion", "preprocessing")
    assert "Too few patients to stratify by cancer type: TGCT (3); at least 5 are needed" in found
    assert "set preprocessing.split.small_types to train" in found
    # The way out that the message names.
    with_a_small_type.run(
        "preprocessing", params={"preprocessing": {"split": {"small_types": "train"}}}
    )
    split = pd.read_parquet(with_a_small_type.path("05_model_input", "split.parquet"))
    assert split.loc[split["cancer_type"] == "TGCT", "split"].tolist() == ["train"] * 3


def test_an_unknown_modality_name_is_named(raw: Project) -> None:
    settings = {"label": "Proteome", "color": "#000000", "steps": []}
    found = stops(raw, "ingestion", params={"modalities": {"proteome": settings}})
    assert "`modalities` have proteome, but the catalog has no entry raw/proteome, only" in found
    assert "or set the modality to null" in found


def test_a_latent_larger_than_the_features_is_named(demo: Project, tmp_path: Path) -> None:
    layers = ("02_intermediate/demo/clinical.parquet", "03_primary/demo")
    project = demo.clone(tmp_path / "demo", *layers, "05_model_input/demo/split")
    found = stops(project, "embedding", params={"modalities": {"rppa": {"latent_size": 31}}})
    assert "modalities.rppa.latent_size is 31 but only 30 features are left: lower it" in found
    assert not project.path("06_models", "encoders/rppa.safetensors").exists()


@pytest.mark.parametrize(("pipeline", "output"), READERS_OF_LATENTS)
def test_latents_that_were_edited_are_named(
    pipeline: str, output: str, demo: Project, tmp_path: Path
) -> None:
    project = demo.clone(tmp_path / "demo", *LATENTS, *MODELS[1:])
    path = project.path("05_model_input", "latents/rppa.parquet")
    latents = pd.read_parquet(path)
    latents.iloc[7, 2] = np.nan
    latents.to_parquet(path)
    found = stops(project, pipeline, to_outputs=[output])
    assert re.search(r"latents/rppa\.parquet is not as it was written .*it was edited", found)
    assert "or run `kedro run --env demo --pipelines embedding` again" in found


def test_denoisers_of_other_latents_are_refused(demo: Project, tmp_path: Path) -> None:
    project = demo.clone(
        tmp_path / "demo", "02_intermediate/demo", "03_primary/demo", *LATENTS, *MODELS[1:],
        "06_models/demo/preprocessors",
    )  # fmt: skip
    project.run("embedding", params={"modalities": {"rppa": {"latent_size": 5}}})
    found = stops(project, "coherent_sampling", to_outputs=["draws/cna"])
    assert re.search(
        r"(single|multi|consensus)/\S+ does not belong to what lies beside it: it was made from other "
        r".*latents/rppa.* than those at hand. Run `kedro run --env demo --pipelines diffusion_training` again",
        found,
    ), found
    assert not project.path("07_model_output").exists()


def test_draws_of_patients_that_another_split_trained_on_are_refused(
    demo: Project, tmp_path: Path
) -> None:
    project = demo.clone(
        tmp_path / "demo", "02_intermediate/demo", *LATENTS, *MODELS[1:], "08_reporting/demo"
    )
    project.run("preprocessing", params={"preprocessing": {"seed": 1}})
    found = stops(project, "coherent_sampling", params={"preprocessing": {"seed": 1}})
    assert "it was made from other" in found
    assert "split" in found
    assert not project.path("07_model_output").exists()


def test_new_patients_are_not_completed_with_encoders_of_another_run(
    demo: Project, tmp_path: Path
) -> None:
    project = demo.clone(
        tmp_path / "demo", "03_primary/demo", "05_model_input/demo", "06_models/demo"
    )
    path = project.path("06_models", "encoders/rppa.safetensors")
    encoder = CheckpointDataset(filepath=str(path))
    found = encoder.load()
    changed = {**found.arrays, "latent_sd": 2 * found.arrays["latent_sd"]}
    encoder.save(Checkpoint(changed, found.metadata))
    (tmp_path / "in").mkdir()
    tables = demo.path("02_intermediate", "modality_tables")
    pd.read_parquet(tables / "rppa.parquet").head(3).T.to_parquet(tmp_path / "in/rppa.parquet")
    folders = {"input_dir": str(tmp_path / "in"), "output_dir": str(tmp_path / "out")}
    message = stops(project, "complete", params={"completion": folders})
    assert "encoders/rppa.safetensors is not as it was written" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA card is here")
@pytest.mark.parametrize(("pipeline", "output"), READERS_OF_LATENTS)
def test_a_card_that_is_not_there_is_named(
    pipeline: str, output: str, demo: Project, tmp_path: Path
) -> None:
    project = demo.clone(tmp_path / "demo", *LATENTS, *MODELS[1:])
    card = {"compute": {"device": "cuda"}}
    found = stops(project, pipeline, to_outputs=[output], params=card)
    assert "compute.device is 'cuda', but torch" in found
    assert "sees 0 CUDA cards here. Set compute.device to cpu or auto" in found


def test_an_unwritable_output_is_named(embedded: Project) -> None:
    folder = embedded.root / "data/06_models/demo/training_state"
    # A file where a folder belongs: permissions do not stop an administrator.
    folder.write_text("in the way")
    found = stops(embedded, "diffusion_training")
    assert re.search(rf"Cannot write {folder}/(single|multi)/cna\.safetensors: ", found)
    assert "Make the folder writable, free some space, or point the run at another" in found


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"diffusion_training": {"max_step": 5}}, "max_step: .* did you mean max_steps"),
        ({"embedding": {"dropuot": 0.1}}, "embedding.dropuot: .* did you mean dropout"),
        ({"coherent_sampling": {"coherence": {"treshold": 1}}}, "coherence.treshold: .* threshold"),
        ({"completion": {"method": "coherence"}}, "completion.method: .*'coherent' or 'multi'"),
        ({"evaluation": {"bootstrap": {"repeat": 5}}}, "bootstrap.repeat: .* did you mean repeats"),
        ({"preprocessing": {"split": {"val": 0.1}}}, "preprocessing.split.val: there is no such"),
        ({"ingestion": {"barcodes": {"schema": "plain"}}}, "barcodes.schema: .* did you mean sch"),
        ({"ingestion": {"barcode": {"scheme": "plain"}}}, "barcode: .* did you mean barcodes"),
        ({"compute": {"devise": "cpu"}}, "compute.devise: .* did you mean device"),
        ({"diffusion_trainin": {"seed": 1}}, "diffusion_trainin: .* did you mean diffusion_train"),
        ({"cohortdir": "x"}, "cohortdir: there is no such parameter; did you mean cohort_dir"),
        ({"zzz": 1}, "zzz: there is no such parameter"),
    ],
)
def test_a_typo_in_the_run_parameters_is_named_before_anything_runs(
    params: dict[str, Any], message: str, demo: Project, tmp_path: Path
) -> None:
    project = demo.clone(tmp_path / "demo")
    with pytest.raises(ParameterValidationError) as caught:
        project.run(params=params)
    assert re.search(message, str(caught.value)), str(caught.value)
    assert not (project.root / "data").exists()


def test_the_command_says_what_is_wrong_and_fails(demo: Project, tmp_path: Path) -> None:
    project = demo.clone(tmp_path / "demo")
    process = project.start("--params", "compute.device=cpu,compute.thread=2")
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "compute.thread: there is no such parameter; did you mean threads?" in printed
    assert not (project.root / "data").exists()
