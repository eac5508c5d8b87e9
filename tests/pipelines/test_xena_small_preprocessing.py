"""Preprocessing of three small real cohorts in the units of the Xena hub."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from pydantic import TypeAdapter

from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.pipelines.preprocessing.nodes import (
    PreprocessingConfig,
    find_outliers,
    gather_presence,
    gather_quality_control,
    preprocess_modality,
    share_split,
    split_patients,
)
from tests.pipelines.latent_cohort import lazily

COHORTS = ("ACC", "CHOL", "UCS")
KINDS = {"cna": "gene-level_absolute", "rnaseq": "star_counts", "rppa": "protein"}


def tumours(folder: Path, kind: str) -> pd.DataFrame:
    """Primary tumours of the three cohorts, patients x features."""
    parts = [
        pd.read_csv(folder / f"TCGA-{cohort}.{kind}.tsv.gz", sep="\t", index_col=0).T
        for cohort in COHORTS
    ]
    table = pd.concat(parts).astype(np.float32)
    table = table[table.index.str.endswith("-01A")]
    return table.set_axis(table.index.str.slice(0, 12).rename("patient_id"))


@pytest.fixture(scope="module")
def raw(shared_dir) -> dict[str, pd.DataFrame]:
    return {name: tumours(shared_dir / "xena_small", kind) for name, kind in KINDS.items()}


@pytest.fixture(scope="module")
def result(raw, shared_dir, repo_root) -> dict[str, Any]:
    folder = repo_root / "conf/base/parameters"
    modalities = OmegaConf.to_container(OmegaConf.load(folder / "modalities.yml").modalities)
    configs = parse_modalities({**modalities, "wsi": None})
    preprocessing = TypeAdapter(PreprocessingConfig).validate_python(
        OmegaConf.to_container(OmegaConf.load(folder / "preprocessing.yml").preprocessing)
    )
    types = {
        sample[:12]: cohort
        for cohort in COHORTS
        for sample in pd.read_csv(
            shared_dir / "xena_small" / f"TCGA-{cohort}.clinical.tsv.gz", sep="\t", index_col=0
        ).index
    }
    clinical = pd.DataFrame({"cancer_type": pd.Series(types)})
    outliers = {
        name: find_outliers(raw[name], clinical, config, preprocessing, name)
        for name, config in configs.items()
    }
    presence, excluded = gather_presence(
        *(lazily({name: found[part] for name, found in outliers.items()}) for part in (0, 1))
    )
    nobody = pd.DataFrame()
    split, split_table = split_patients(presence, clinical, nobody, nobody, preprocessing)
    made = {
        name: preprocess_modality(
            raw[name],
            share_split(split, presence, name),
            outliers[name][1],
            config,
            preprocessing,
            name,
        )
        for name, config in configs.items()
    }
    processed, preprocessors, rows = (
        {name: found[part] for name, found in made.items()} for part in range(3)
    )
    return {
        "presence": presence,
        "excluded": excluded,
        "split": split["split"],
        "split_table": split_table.set_index("cancer_type"),
        "processed": processed,
        "preprocessors": {
            name: Preprocessor.from_state(checkpoint.arrays, checkpoint.metadata)
            for name, checkpoint in preprocessors.items()
        },
        "quality_control": gather_quality_control(lazily(rows)).set_index(["modality", "step"]),
    }


def test_outlier_rules_leave_out_few_real_patients(raw, result) -> None:
    for name, table in raw.items():
        assert (result["excluded"]["modality"] == name).sum() <= 0.02 * len(table)


def test_the_three_cancer_types_are_split_near_5_and_15_percent(result) -> None:
    table = result["split_table"]
    assert list(table.index) == list(COHORTS)
    for part, share in (("val", 0.05), ("test", 0.15)):
        np.testing.assert_allclose(table[part] / table["patients"], share, atol=0.02)
    held_out = result["split"].index[result["split"] != "train"]
    assert result["presence"].loc[held_out].all(axis=None)


def test_processed_tables_are_standardised_and_complete(result) -> None:
    for name, table in result["processed"].items():
        assert not table.isna().any(axis=None)
        assert (table.dtypes == np.float32).all()
        train = table[table.index.isin(result["split"].index[result["split"] == "train"])]
        np.testing.assert_allclose(train.mean(), 0, atol=0.1 if name == "cna" else 1e-3)


def test_genes_are_kept_by_the_filter_of_the_paper(raw, result) -> None:
    train = result["split"].index[result["split"] == "train"]
    table = raw["rnaseq"]
    train = result["presence"].index[result["presence"]["rnaseq"]].intersection(train)
    counts = 2.0 ** table.loc[train].to_numpy(np.float64) - 1
    cpm = counts / counts.sum(axis=1, keepdims=True) * 1e6
    kept = table.columns[(cpm > 1).mean(axis=0) >= 0.2]
    assert set(result["processed"]["rnaseq"].columns) == set(kept)
    assert 10_000 < len(kept) < 18_000


def test_copy_numbers_and_proteins_come_back_in_input_units(raw, result) -> None:
    for name in ("cna", "rppa"):
        preprocessor, processed = result["preprocessors"][name], result["processed"][name]
        observed = raw[name].loc[processed.index, preprocessor.features]
        if name == "cna":
            observed = observed.where(observed != 0).clip(0.5, 8)
        back = preprocessor.inverse_transform(processed).where(observed.notna())
        np.testing.assert_allclose(back, observed, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_a_test_patient_alone_is_processed_as_in_the_cohort(raw, result) -> None:
    split = result["split"]
    patient = split.index[split == "test"][[0]]
    for name, processed in result["processed"].items():
        cells = processed.loc[patient]
        alone = result["preprocessors"][name].transform(
            raw[name].loc[patient], lambda scaled, cells=cells: scaled.fillna(cells)
        )
        pd.testing.assert_frame_equal(alone, processed.loc[patient], check_names=False)


def test_what_was_removed_is_reported(result) -> None:
    table = result["quality_control"]
    assert table.loc[("rnaseq", "drop_low_expression"), "removed"] > 1_000
    assert table.loc[("cna", "drop_empty_features"), "removed"] > 0
    for name, processed in result["processed"].items():
        last = table.loc[(name, "impute")]
        assert (last["patients_after"], last["features_after"]) == processed.shape
