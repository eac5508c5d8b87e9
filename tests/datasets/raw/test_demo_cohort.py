import gzip
import json
import logging
from copy import deepcopy
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.demo_cohort import (
    RECORD,
    DemoClinicalDataset,
    DemoModalityDataset,
    load_truth,
)
from tcga_coherent.omics.features.steps import build_steps
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.omics.patients.clinical import ClinicalColumns, harmonise_clinical
from tcga_coherent.omics.patients.tables import tabulate_patients

PATIENTS = 120


@pytest.fixture(scope="module")
def demo(repo_root) -> dict:
    text = (repo_root / "conf" / "demo" / "globals.yml").read_text(encoding="utf-8")
    return {**yaml.safe_load(text)["simulation"], "patients": PATIENTS}


def place(demo: dict, folder: Path) -> dict:
    """Let the settings write their slides below `folder`."""
    placed = deepcopy(demo)
    placed["modalities"]["wsi"]["source"]["folder"] = str(folder / "titan")
    return placed


def read_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != RECORD}


@pytest.fixture(scope="module")
def written(demo, tmp_path_factory) -> tuple[Path, dict]:
    """Return the folder of a written cohort and its settings."""
    folder = tmp_path_factory.mktemp("demo")
    settings = place(demo, folder)
    DemoClinicalDataset(folder=str(folder / "xena"), simulation=settings).load()
    return folder, settings


@pytest.fixture(scope="module")
def tables(written) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return modality tables and clinical table, ingested like real data."""
    folder, settings = written
    xena = str(folder / "xena")
    raw = DemoClinicalDataset(folder=xena, simulation=settings).load()
    clinical, _ = harmonise_clinical(raw, ClinicalColumns())
    return {
        name: tabulate_patients(
            DemoModalityDataset(modality=name, folder=xena, simulation=settings).load().read(),
            clinical["cancer_type"],
            BarcodeRule(),
            name,
        )[0]
        for name in settings["modalities"]
    }, clinical


def test_files_lie_in_the_layout_of_the_hub(written, demo):
    folder, _ = written
    with gzip.open(folder / "xena" / "TCGA-BRCA.protein.tsv.gz", "rt") as file:
        header = file.readline().split("\t")
    assert header[0] == "peptide_target"
    assert header[-1].startswith("TCGA-00-")
    kinds = {path.name.split(".", 2)[1] for path in (folder / "xena").glob("TCGA-BRCA.*.tsv.gz")}
    assert kinds == {"star_counts", "gene-level_absolute", "protein", "clinical", "survival"}
    # Nobody has copy numbers of THCA, as in the published table.
    assert not (folder / "xena" / "TCGA-THCA.gene-level_absolute.tsv.gz").exists()
    slide = next((folder / "titan").glob("*.h5"))
    with h5py.File(slide) as file:
        assert file["features"].shape == (768,)
        assert file["features"].dtype == np.float32


def test_ingestion_finds_the_patients_and_outcomes_that_were_simulated(written, tables):
    truth = load_truth(written[0] / "xena")
    ingested, clinical = tables
    for name, table in ingested.items():
        assert set(table.index) == set(truth.presence.index[truth.presence[name]])
    simulated = truth.clinical.loc[clinical.index]
    assert (clinical["cancer_type"] == simulated["cancer_type"]).all()
    np.testing.assert_array_equal(clinical["os_event"], simulated["os_event"])
    np.testing.assert_array_equal(clinical["os_days"], simulated["os_days"])
    found = clinical["stage"].fillna("none")
    expected = simulated["stage"].str.extract(r"(IV|I+)")[0].fillna("none")
    assert (found == expected).all()


@pytest.mark.parametrize(
    ("modality", "steps"),
    [
        ("cna", ["zeros_to_missing", "log2_copy_ratio"]),
        ("rnaseq", ["log2_counts_to_cpm", "log2_plus_one"]),
        ("rppa", []),
        ("wsi", []),
    ],
)
def test_processed_values_are_those_of_the_model(written, tables, modality, steps):
    truth = load_truth(written[0] / "xena")
    table = tables[0][modality]
    for step in build_steps(steps, "steps"):
        table = step.forward(table)
    table = table[~truth.degraded.loc[table.index, modality]]
    expected = truth.processed[modality].loc[table.index]
    error = (table[expected.columns] - expected).abs().to_numpy()
    # Whole counts are coarse where a gene is barely expressed, and only there.
    assert np.nanmax(error) < 0.05
    assert np.nanmean(error) < 0.001
    assert np.isnan(error).mean() < 0.01


def test_raw_draws_have_the_columns_of_the_raw_matrix(written, tables):
    truth = load_truth(written[0] / "xena")
    patients = truth.presence.index[truth.presence.all(axis=1)][:2]
    for name, table in tables[0].items():
        sources = [other for other in tables[0] if other != name]
        draws = truth.sample_conditional(name, sources, patients, 2, seed=0)
        assert list(truth.to_raw_units(name, draws).columns) == list(table.columns)


def test_the_same_settings_write_the_same_bytes(written, demo, tmp_path):
    settings = place(demo, tmp_path)
    DemoModalityDataset(modality="cna", folder=str(tmp_path / "xena"), simulation=settings).load()
    for name in ("xena", "titan"):
        assert read_bytes(tmp_path / name) == read_bytes(written[0] / name)


def test_whole_folders_are_used_and_others_replaced(demo, tmp_path, caplog):
    settings = place(demo, tmp_path)
    xena = tmp_path / "xena"

    def load() -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="tcga_coherent"):
            DemoModalityDataset(modality="cna", folder=str(xena), simulation=settings).load()
        return [record.getMessage() for record in caplog.records]

    assert len(load()) == 3
    assert load() == []

    (xena / "TCGA-BRCA.clinical.tsv.gz").unlink()
    assert [str(xena) in message for message in load()] == [False, True]
    assert (xena / "TCGA-BRCA.clinical.tsv.gz").is_file()

    settings["seed"] += 1
    before = read_bytes(xena)
    assert len(load()) == 3
    assert read_bytes(xena) != before
    assert load_truth(xena).settings.seed == settings["seed"]


def test_an_interrupted_simulation_leaves_nothing_that_passes_for_whole(
    demo, tmp_path, monkeypatch
):
    settings = place(demo, tmp_path)
    dataset = DemoModalityDataset(
        modality="cna", folder=str(tmp_path / "xena"), simulation=settings
    )

    def fail(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tcga_coherent.datasets.raw.demo_cohort.tabulate_clinical", fail)
        with pytest.raises(KeyboardInterrupt):
            dataset.load()
    assert [path.name for path in tmp_path.iterdir()] == [".xena.lock"]
    assert len(dataset.load().names())


def test_files_that_were_not_simulated_are_never_replaced(demo, tmp_path):
    (tmp_path / "xena").mkdir()
    mine = tmp_path / "xena" / "TCGA-BRCA.star_counts.tsv.gz"
    mine.write_bytes(b"measured")
    dataset = DemoModalityDataset(
        modality="cna", folder=str(tmp_path / "xena"), simulation=place(demo, tmp_path)
    )
    with pytest.raises(DatasetError, match="holds files that were not simulated"):
        dataset.load()
    assert mine.read_bytes() == b"measured"


def test_a_fifth_modality_needs_configuration_only(demo, tmp_path):
    settings = place(demo, tmp_path)
    settings["modalities"]["methylation"] = {
        "source": {"format": "xena", "kind": "methylation450"},
        "scale": "unchanged",
        "features": 30,
        "factors": {"common": {"variance": 0.5, "fidelity": 0.8}},
        "level": [-2.0, 2.0],
        "spread": [0.3, 0.6],
        "measured": 0.9,
    }
    table = (
        DemoModalityDataset(
            modality="methylation", folder=str(tmp_path / "xena"), simulation=settings
        )
        .load()
        .read()
    )
    truth = load_truth(tmp_path / "xena")
    patients = truth.presence.index[truth.presence["methylation"]]
    first = table.loc[
        [
            f"{patient}-{truth.settings.cohorts[name].sample_type}A"
            for patient, name in truth.clinical.loc[patients, "cancer_type"].items()
        ]
    ]
    np.testing.assert_allclose(first, truth.processed["methylation"].loc[patients], atol=1e-4)


def test_the_truth_of_another_folder_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no simulated cohort\. Load the demo cohort"):
        load_truth(tmp_path)


def test_a_format_that_is_not_simulated_is_named(demo, tmp_path):
    settings = place(demo, tmp_path)
    settings["modalities"]["rppa"]["source"] = {"format": "matrix", "filepath": "rppa.tsv"}
    dataset = DemoModalityDataset(
        modality="cna", folder=str(tmp_path / "xena"), simulation=settings
    )
    with pytest.raises(DatasetError, match=r"modalities\.rppa\.source is .*'matrix'"):
        dataset.load()


def test_a_modality_that_is_not_simulated_is_named(demo, tmp_path):
    with pytest.raises(DatasetError, match="The simulation has no modality 'methylation'"):
        DemoModalityDataset(modality="methylation", folder=str(tmp_path), simulation=demo)


def test_the_record_lists_settings_and_files(written):
    folder, _ = written
    record = json.loads((folder / "xena" / RECORD).read_text(encoding="utf-8"))
    assert record["simulation"]["patients"] == PATIENTS
    assert set(record["files"]) == set(read_bytes(folder / "xena"))
