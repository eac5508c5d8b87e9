"""Three small real cohorts, from the raw files of the hub to latents."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.end_to_end.projects import SMALL_BUDGETS, Project

COHORTS = ("ACC", "CHOL", "UCS")
KINDS = {"cna": "gene-level_absolute", "rnaseq": "star_counts", "rppa": "protein"}
LATENT_SIZE = 8


@pytest.fixture(scope="module")
def barcodes(shared_dir: Path) -> dict[str, list[str]]:
    """Samples of each modality by the header lines of its files."""
    found: dict[str, list[str]] = {}
    for name, kind in KINDS.items():
        found[name] = []
        for cohort in COHORTS:
            path = shared_dir / f"xena_small/TCGA-{cohort}.{kind}.tsv.gz"
            with gzip.open(path, "rt") as file:
                found[name] += next(csv.reader(file, delimiter="\t"))[1:]
    return found


@pytest.fixture(scope="module")
def tumours(barcodes: dict[str, list[str]]) -> dict[str, set[str]]:
    """Patients of each modality that have a primary tumour in its files."""
    return {
        name: {barcode[:12] for barcode in names if barcode[13:15] == "01"}
        for name, names in barcodes.items()
    }


@pytest.fixture(scope="module")
def project(
    repo_root: Path, shared_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """Bring the files to latents in an environment of their own."""
    source = shared_dir / "xena_small"
    before = sorted(source.iterdir())
    project = Project.copy(repo_root, tmp_path_factory.mktemp("xena") / "project", "xena_small")
    catalog = {
        **{
            f"raw/{name}": {
                "type": "tcga_coherent.datasets.raw.xena_hub.XenaMatrixDataset",
                "folder": str(source),
                "cohorts": list(COHORTS),
                "kind": kind,
            }
            for name, kind in KINDS.items()
        },
        "raw_clinical": {
            "type": "tcga_coherent.datasets.raw.xena_hub.XenaClinicalDataset",
            "folder": str(source),
            "cohorts": list(COHORTS),
        },
    }
    sizes = {name: {"latent_size": LATENT_SIZE} for name in KINDS}
    files = {
        "globals.yml": {"environment": "xena_small"},
        "catalog.yml": catalog,
        "parameters.yml": {**SMALL_BUDGETS, "modalities": {**sizes, "wsi": None}},
    }
    project.conf.mkdir()
    for name, content in files.items():
        (project.conf / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    project.run("ingestion", "preprocessing", "embedding")
    yield project
    assert sorted(source.iterdir()) == before


def read(project: Project, layer: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(project.path(layer, name))


def test_normal_samples_are_dropped_and_counted(
    project: Project, barcodes: dict[str, list[str]], tumours: dict[str, set[str]]
) -> None:
    normals = [barcode for barcode in barcodes["rnaseq"] if barcode[13:15] == "11"]
    assert len(normals) == 9
    report = pd.read_csv(project.path("08_reporting", "ingestion_report.csv"))
    rows = report[report["reason"] == "normal or control sample"]
    assert rows[["modality", "n"]].to_numpy().tolist() == [["rnaseq", len(normals)]]
    for name in KINDS:
        table = read(project, "02_intermediate", f"modality_tables/{name}.parquet")
        assert set(table.index) == tumours[name]


def test_patients_with_one_missing_file_are_kept(
    project: Project, tumours: dict[str, set[str]]
) -> None:
    presence = read(project, "05_model_input", "presence.parquet")
    assert list(presence.columns) == list(KINDS)
    excluded = pd.read_csv(project.path("08_reporting", "excluded_patients.csv"))
    left_out = set(zip(excluded["modality"], excluded["patient_id"], strict=True))
    for name, patients in tumours.items():
        remaining = {patient for patient in patients if (name, patient) not in left_out}
        assert set(presence.index[presence[name]]) == remaining
    # Some in one file only, some in two.
    counts = presence.sum(axis=1).value_counts()
    in_files = pd.Series([p for patients in tumours.values() for p in patients]).value_counts()
    assert (in_files < 3).sum() > 5
    assert counts.sum() >= 0.98 * len(in_files)
    assert counts[1] + counts[2] >= (in_files < 3).sum()


def test_every_measured_patient_has_standardised_latents(project: Project) -> None:
    presence = read(project, "05_model_input", "presence.parquet")
    split = read(project, "05_model_input", "split.parquet")
    assert split.index.equals(presence.index)
    held_out = split.index[split["split"] != "train"]
    assert presence.loc[held_out].all(axis=None)
    assert set(split["cancer_type"]) == set(COHORTS)
    assert not project.path("05_model_input", "latents/wsi.parquet").exists()
    for name in KINDS:
        latents = read(project, "05_model_input", f"latents/{name}.parquet")
        assert list(latents.columns) == [f"z{number:02d}" for number in range(LATENT_SIZE)]
        assert (latents.dtypes == np.float32).all()
        assert np.isfinite(latents).all(axis=None)
        assert set(latents.index) == set(presence.index[presence[name]])
        train = latents[latents.index.isin(split.index[split["split"] == "train"])]
        np.testing.assert_allclose(train.mean(), 0, atol=1e-4)
        np.testing.assert_allclose(train.std(ddof=0), 1, atol=1e-3)


def test_latents_tell_the_three_cancers_apart(project: Project) -> None:
    """Nearest neighbours by latents share the cancer type far more often than by chance."""
    split = read(project, "05_model_input", "split.parquet")
    for name in KINDS:
        latents = read(project, "05_model_input", f"latents/{name}.parquet")
        types = split.loc[latents.index, "cancer_type"].to_numpy()
        values = latents.to_numpy()
        distance = ((values[:, None] - values[None]) ** 2).sum(axis=2)
        np.fill_diagonal(distance, np.inf)
        agreement = (types[distance.argmin(axis=1)] == types).mean()
        chance = (pd.Series(types).value_counts(normalize=True) ** 2).sum()
        assert agreement > chance + 0.2, name
