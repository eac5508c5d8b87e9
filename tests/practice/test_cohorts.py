"""Cohorts as people have them: read right, or refused with the way out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.practice.conftest import Practice

pytestmark = pytest.mark.practice

MATRIX = "tcga_coherent.datasets.raw.raw_modality.MatrixDataset"
TITAN = "tcga_coherent.datasets.raw.raw_modality.TitanDataset"


def change_source(modality: str | None, **source: object):
    """Return what replaces a modality's source, or that of the clinical table, in the catalog."""

    def change(conf: Path) -> None:
        file = conf / "catalog" / "ingestion.yml"
        catalog = yaml.safe_load(file.read_text(encoding="utf-8"))
        if modality is None:
            catalog["raw_clinical"] |= source
        else:
            catalog[f"raw/{modality}"] = source
        file.write_text(yaml.safe_dump(catalog), encoding="utf-8")

    return change


def change_steps(modality: str, *steps: object):
    """Return what replaces the steps of a modality."""

    def change(conf: Path) -> None:
        file = conf / "parameters" / "modalities.yml"
        modalities = yaml.safe_load(file.read_text(encoding="utf-8"))
        modalities["modalities"][modality]["steps"] = list(steps)
        file.write_text(yaml.safe_dump(modalities), encoding="utf-8")

    return change


def built(practice: Practice, case: str) -> str:
    """Build a case's input and return the name of its folder."""
    practice.build(case)
    (folder,) = (practice.cases / "work" / "in").glob(f"{case}_*")
    return folder.name


def test_expression_with_the_summary_rows_of_star(practice: Practice) -> None:
    practice.build("15")
    counts = change_steps("rnaseq", "log2_counts_to_cpm", "log2_plus_one")
    found, clean = (practice.ingest(name, change=counts) for name in ("15_star", "15_star_clean"))
    assert not found.stopped, found.said
    report = pd.read_csv(found.project.path("08_reporting", "ingestion_report.csv"))
    assert report["examples"].astype(str).str.contains("N_unmapped").sum() == 1
    expected = clean.table("03_primary", "processed/rnaseq")
    pd.testing.assert_frame_equal(found.table("03_primary", "processed/rnaseq"), expected)


def test_deaths_coded_one_and_two(practice: Practice) -> None:
    name = built(practice, "16")
    outcome = practice.ingest(name, "ingestion")
    if outcome.stopped:
        assert "1" in outcome.said
        assert "2" in outcome.said
        assert "OS" in outcome.said
    else:
        event = outcome.table("02_intermediate", "clinical")["os_event"]
        assert event.value_counts().to_dict() == {0.0: 316, 1.0: 144}


def test_project_ids_as_cancer_types(practice: Practice) -> None:
    name = built(practice, "17")
    outcome = practice.ingest(name, "ingestion")
    clinical = outcome.table("02_intermediate", "clinical")
    assert (clinical["cancer_type"] == "SKCM").sum() == 90
    table = pd.read_csv(outcome.project.path("08_reporting", "table4_cohort.csv"))
    assert table.set_index("cancer_type").loc["SKCM", "total"] == 90


def test_calls_of_gistic(practice: Practice) -> None:
    name = built(practice, "20")
    copies = change_steps("cna", "zeros_to_missing", "log2_copy_ratio")
    outcome = practice.ingest(name, change=copies)
    assert outcome.stopped
    assert "GISTIC" in outcome.said
    assert "clip" in outcome.said


def test_clinical_file_of_the_gdc_portal(practice: Practice) -> None:
    name = built(practice, "21")

    def change(conf: Path) -> None:
        change_source(None, filepath=str(practice.input(name) / "clinical.tsv"))(conf)
        columns = {
            "cancer_type": "project_id",
            "os_event": "vital_status",
            "os_days": "days_to_death",
        }
        file = conf / "parameters" / "ingestion.yml"
        ingestion = yaml.safe_load(file.read_text(encoding="utf-8"))
        ingestion["ingestion"]["clinical_columns"] |= columns
        file.write_text(yaml.safe_dump(ingestion), encoding="utf-8")

    outcome = practice.ingest(name, "ingestion", change=change)
    assert not outcome.stopped, outcome.said
    found = outcome.table("02_intermediate", "clinical")
    raw = pd.read_parquet(practice.cases / "work/mini_raw/clinical.parquet").loc[found.index]
    assert len(found) == 460
    assert (found["cancer_type"] == raw["cancer_type"]).all()
    assert (found["os_event"] == (raw["OS"] == 1)).all()
    known = raw["age_at_diagnosis"].notna()
    assert (found["age"] - raw["age_at_diagnosis"])[known].abs().max() < 0.01
    # Of the living the file says nothing on the follow-up.
    assert "os_days" in outcome.said


def test_clinical_parquet_whose_patients_are_not_the_first_column(practice: Practice) -> None:
    outcome = practice.ingest(built(practice, "22"), "ingestion")
    if outcome.stopped:
        assert "first column" in outcome.said
    else:
        assert len(outcome.table("02_intermediate", "clinical")) == 460


def test_a_single_file_of_star_as_it_is(practice: Practice) -> None:
    name = built(practice, "23")
    source = {"type": MATRIX, "filepath": str(practice.input(name) / "rnaseq.tsv")}
    outcome = practice.ingest(name, "ingestion", change=change_source("rnaseq", **source))
    assert outcome.stopped
    assert "unstranded" in outcome.said
    assert "separated by" not in outcome.said


def leave_out(conf: Path, *modalities: str) -> None:
    """Take modalities out of an environment."""
    catalog = conf / "catalog" / "ingestion.yml"
    entries = yaml.safe_load(catalog.read_text(encoding="utf-8"))
    file = conf / "parameters" / "modalities.yml"
    parameters = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name in modalities:
        del entries[f"raw/{name}"]
        parameters["modalities"][name] = None
    catalog.write_text(yaml.safe_dump(entries), encoding="utf-8")
    file.write_text(yaml.safe_dump(parameters), encoding="utf-8")


def test_slides_of_a_clinic(practice: Practice) -> None:
    name = built(practice, "26")

    def change(conf: Path) -> None:
        folder = str(practice.input(name) / "wsi")
        change_source("wsi", type=TITAN, folder=folder, patient_pattern=r"(P\d+)_.*")(conf)
        leave_out(conf, "cna")
        file = conf / "parameters" / "ingestion.yml"
        ingestion = yaml.safe_load(file.read_text(encoding="utf-8"))
        ingestion["ingestion"]["barcodes"] = {"scheme": "plain"}
        file.write_text(yaml.safe_dump(ingestion), encoding="utf-8")

    outcome = practice.ingest(name, "ingestion", change=change)
    assert not outcome.stopped, outcome.said
    slides = outcome.table("02_intermediate", "modality_tables/wsi")
    raw = pd.read_parquet(practice.cases / "work/mini_raw/wsi.parquet")
    assert len(slides) == raw.shape[1]
    assert slides.index.str.fullmatch(r"P\d{3}").all()


def test_genes_named_by_whole_numbers(practice: Practice) -> None:
    practice.build("05")
    trained = practice.ingest(
        "05_entrez_cohort",
        "ingestion", "preprocessing", "embedding", "diffusion_training", "coherent_sampling",
        change=lambda conf: leave_out(conf, "cna", "wsi"),
    )  # fmt: skip
    assert not trained.stopped, trained.said
    outcome = practice.complete("05_entrez", project=trained.project)
    assert not outcome.stopped, outcome.said
    assert list(outcome.status("rnaseq").values()) == ["observed"] * 3


def test_antibodies_named_by_two_schemes(practice: Practice) -> None:
    outcome = practice.ingest(built(practice, "27"))
    assert not outcome.stopped, outcome.said
    assert "rppa" in outcome.said
    assert "172" in outcome.said or "LUAD" in outcome.said
    assert "X14" in outcome.said or "rppa" in outcome.said


def test_quotes_that_are_not_closed(practice: Practice) -> None:
    name = built(practice, "28")
    file = str(practice.input(name) / "clinical.tsv")
    outcome = practice.ingest(name, "ingestion", change=change_source(None, filepath=file))
    if outcome.stopped:
        assert "line" in outcome.said
        assert "quot" in outcome.said
    else:
        assert len(outcome.table("02_intermediate", "clinical")) == 460


def test_one_small_cancer_ends_in_a_report(practice: Practice) -> None:
    outcome = practice.ingest(
        built(practice, "29"),
        "ingestion", "preprocessing", "embedding", "diffusion_training", "coherent_sampling",
        "evaluation",
    )  # fmt: skip
    assert not outcome.stopped, outcome.said
    page = outcome.project.path("08_reporting", "report.html").read_text(encoding="utf-8")
    assert "too few" in page


def test_a_number_that_stands_for_missing(practice: Practice) -> None:
    outcome = practice.ingest(built(practice, "31"))
    assert "-999" in outcome.said
    assert "rppa" in outcome.said


@pytest.mark.parametrize(("name", "n_missing"), [("41_stage_int", 0), ("41_stage", 1)])
def test_stages_that_are_numbers(practice: Practice, name: str, n_missing: int) -> None:
    practice.build("41")
    outcome = practice.ingest(name, "ingestion")
    stages = outcome.table("02_intermediate", "clinical")["stage"]
    raw = pd.read_parquet(practice.input(name) / "clinical.parquet")["ajcc_pathologic_stage"]
    assert stages.isna().sum() == n_missing
    expected = raw.dropna().astype(int).map({1: "I", 2: "II", 3: "III", 4: "IV"})
    assert (stages.loc[expected.index] == expected).all()


def test_mutations_and_types_that_are_numbers(practice: Practice) -> None:
    name = built(practice, "25")

    def change(conf: Path) -> None:
        source = {"type": MATRIX, "filepath": str(practice.input(name) / "mutations.parquet")}
        change_source("mutations", **source)(conf)
        modalities = conf / "parameters" / "modalities.yml"
        merged = yaml.safe_load(modalities.read_text(encoding="utf-8"))
        merged["modalities"]["mutations"] = {
            "label": "Mutations", "color": "#56B4E9", "steps": [], "latent_size": 8,
        }  # fmt: skip
        modalities.write_text(yaml.safe_dump(merged), encoding="utf-8")

    outcome = practice.ingest(name, "ingestion", "preprocessing", "embedding", change=change)
    assert not outcome.stopped, outcome.said
    types = outcome.table("02_intermediate", "clinical")["cancer_type"]
    assert set(types) == {"1", "2", "3", "4"}
    assert np.isfinite(outcome.table("05_model_input", "latents/mutations").to_numpy()).all()
