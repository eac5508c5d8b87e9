"""Cohorts of other shapes go all the way: from raw tables to a bundle, and with it to completed patients."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from omegaconf import OmegaConf

from tests.end_to_end.projects import SMALL_BUDGETS, Project

pytestmark = pytest.mark.runs

N_FEATURES = 12
MAIN_JOB = "ingestion,preprocessing,embedding,diffusion_training,coherent_sampling"
DATASETS = "tcga_coherent.datasets.raw"


@dataclass(frozen=True)
class Odd:
    """What is odd about a cohort."""

    modalities: int = 3
    patients: int = 300
    types: int = 3
    missing: float = 0.15
    complete: bool = True
    stage: bool = True
    survival: bool = True
    tasks: frozenset[str] | None = None


ODD = {
    "two modalities": Odd(modalities=2),
    "eight modalities": Odd(modalities=8, missing=0.03),
    "one cancer type": Odd(types=1),
    "33 cancer types": Odd(types=33, patients=700),
    "60 patients": Odd(patients=60),
    "nobody complete": Odd(complete=False),
    "no stage": Odd(stage=False, tasks=frozenset({"survival"})),
    "no survival": Odd(survival=False, tasks=frozenset({"stage"})),
}


def names_of(odd: Odd) -> list[str]:
    return [f"m{number}" for number in range(odd.modalities)]


def simulate(odd: Odd) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return a matrix a modality, patients x features, of common factors; and a clinical table."""
    rng = np.random.default_rng(0)
    index = pd.Index([f"P{number:04d}" for number in range(odd.patients)], name="patient")
    types = np.arange(odd.patients) % odd.types
    factors = rng.standard_normal((odd.patients, 4)) + types[:, np.newaxis] % 5
    missing = rng.random((odd.patients, odd.modalities)) < odd.missing
    if not odd.complete:
        missing[np.arange(odd.patients), np.arange(odd.patients) % odd.modalities] = True
    matrices = {}
    for number, name in enumerate(names_of(odd)):
        values = factors @ rng.standard_normal((4, N_FEATURES))
        values += 0.5 * rng.standard_normal(values.shape)
        columns = [f"{name}_{feature}" for feature in range(N_FEATURES)]
        matrices[name] = pd.DataFrame(values, index, columns)[~missing[:, number]]
    clinical = pd.DataFrame({"cancer_type": [f"T{kind:02d}" for kind in types]}, index=index)
    if odd.stage:
        clinical["stage"] = np.where(
            factors[:, 0] > np.median(factors[:, 0]), "Stage II", "Stage I"
        )
    if odd.survival:
        clinical["OS"] = (rng.random(odd.patients) < 0.6).astype(int)
        clinical["OS.time"] = np.round(300 * np.exp(factors[:, 1] / 4 + rng.random(odd.patients)))
    return matrices, clinical


def make_project(odd: Odd, repo_root: Path, folder: Path) -> Project:
    """Write the cohort's files, and the configuration that reads them in the demo's place."""
    matrices, clinical = simulate(odd)
    clinical.to_csv(folder / "clinical.tsv", sep="\t")
    project = Project.copy(repo_root, folder / "project", "demo")
    catalog: dict[str, Any] = {
        "raw_clinical": {
            "type": f"{DATASETS}.clinical_table.ClinicalTableDataset",
            "filepath": str(folder / "clinical.tsv"),
        }
    }
    settings: dict[str, Any] = dict.fromkeys(["cna", "rnaseq", "rppa", "wsi"])
    for number, (name, matrix) in enumerate(matrices.items()):
        matrix.to_parquet(folder / f"{name}.parquet")
        catalog[f"raw/{name}"] = {
            "type": f"{DATASETS}.raw_modality.MatrixDataset",
            "filepath": str(folder / f"{name}.parquet"),
            "orientation": "samples_by_features",
        }
        settings[name] = {
            "label": name.upper(),
            "color": f"#{number * 1118481 + 1118481:06x}",
            "steps": [],
            "encoder": {"kind": "pca"},
            "latent_size": 4,
        }
    (project.conf / "catalog" / "ingestion.yml").write_text(yaml.safe_dump(catalog))
    columns = {
        "cancer_type": "cancer_type",
        "stage": "stage" if odd.stage else None,
        "os_event": "OS" if odd.survival else None,
        "os_days": "OS.time" if odd.survival else None,
        "age": None,
        "sex": None,
    }
    few: Mapping[str, Any] = {
        "modalities": settings,
        # Of eight modalities there are 1,016 pairs of a target and a set of sources.
        "source_sets": "cohort" if odd.modalities > 5 else "all",
        "ingestion": {"clinical_columns": columns, "barcodes": {"scheme": "plain"}},
        "evaluation": {"counterfactual": {"modalities": ["m0"]}},
    }
    project.change_parameters(OmegaConf.merge(SMALL_BUDGETS, few))
    return project


@pytest.mark.parametrize("name", ODD)
def test_an_odd_cohort_completes_new_patients(name: str, repo_root: Path, tmp_path: Path) -> None:
    odd = ODD[name]
    project = make_project(odd, repo_root, tmp_path)
    project.command("--pipelines", MAIN_JOB)
    if odd.tasks is not None:
        project.command("--pipelines", "evaluation")
    project.command("--pipelines", "bundle")
    split = pd.read_parquet(project.path("05_model_input", "split.parquet"))["split"]
    test = split.index[split == "test"]
    assert len(test) > 2
    given = tmp_path / "given"
    given.mkdir()
    for modality in names_of(odd)[:-1]:
        matrix = pd.read_parquet(tmp_path / f"{modality}.parquet")
        matrix[matrix.index.isin(test)].to_csv(given / f"{modality}.csv")
    bundle = project.path("06_models", "bundle")
    places = f"completion.models={bundle},completion.input_dir={given},completion.output_dir={tmp_path / 'out'}"
    project.command("--pipelines", "complete", "--params", places)
    flags = pd.read_parquet(tmp_path / "out/flags.parquet")
    last = flags[flags["modality"] == names_of(odd)[-1]]
    assert set(last["status"]) == {"generated"}
    mean = pd.read_parquet(tmp_path / f"out/decoded_mean/{names_of(odd)[-1]}.parquet")
    assert set(mean.index) == set(last["patient_id"])
    assert np.isfinite(mean).all(axis=None)
    # Common factors tell of what was not measured.
    truth = pd.read_parquet(tmp_path / f"{names_of(odd)[-1]}.parquet")
    both = mean.index.intersection(truth.index)
    assert mean.loc[both].corrwith(truth.loc[both]).median() > 0.4
    predictions = pd.read_parquet(tmp_path / "out/predictions.parquet")
    if odd.tasks is not None:
        assert set(predictions["task"]) == odd.tasks
    assert (tmp_path / "out/completion.html").is_file()
