from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from omegaconf import OmegaConf
from pydantic import TypeAdapter, ValidationError

from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.pipelines.preprocessing import create_pipeline
from tcga_coherent.pipelines.preprocessing.nodes import (
    PreprocessingConfig,
    check_outlier_keys,
    find_outliers,
    gather_presence,
    gather_quality_control,
    preprocess_modality,
    share_split,
    split_patients,
)
from tests.pipelines.latent_cohort import lazily

MODALITIES = {
    "rnaseq": {
        "label": "RNA-Seq",
        "color": "#D55E00",
        "steps": ["arcsinh", {"drop_missing_features": {"max_missing": 0.1}}],
        "imputer": "median",
    },
    "rppa": {
        "label": "RPPA",
        "color": "#009E73",
        "steps": [{"drop_missing_features": {"max_missing": 0.1}}, "center_median"],
    },
}


@pytest.fixture
def preprocessing(repo_root) -> PreprocessingConfig:
    """The parameters as they are delivered."""
    return parameters(repo_root)


def parameters(repo_root, **changes: Any) -> PreprocessingConfig:
    settings = OmegaConf.load(repo_root / "conf/base/parameters/preprocessing.yml").preprocessing
    return TypeAdapter(PreprocessingConfig).validate_python(
        {**OmegaConf.to_container(settings), **changes}
    )


@pytest.fixture
def clinical() -> pd.DataFrame:
    index = pd.Index([f"P{i:03d}" for i in range(120)], name="patient_id")
    return pd.DataFrame({"cancer_type": ["BRCA", "LUAD", "OV"] * 40}, index=index)


@pytest.fixture
def tables(clinical) -> dict[str, pd.DataFrame]:
    """Two modalities: patients miss rppa by turns, and a few values of it are missing."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(120, 3))
    rnaseq = factors @ rng.normal(size=(3, 30)) + rng.normal(size=(120, 30))
    rppa = factors @ rng.normal(size=(3, 20)) + rng.normal(size=(120, 20))
    rppa = np.where(rng.random(rppa.shape) < 0.02, np.nan, rppa)
    frames = {"rnaseq": rnaseq, "rppa": rppa}
    frames = {
        name: pd.DataFrame(v.astype(np.float32), index=clinical.index).add_prefix("F")
        for name, v in frames.items()
    }
    frames["rppa"] = frames["rppa"].iloc[:90]
    return frames


FORMER = pd.DataFrame()


def find(tables, clinical, preprocessing, modalities=MODALITIES):
    """Return presence and excluded patients of all modalities."""
    found = {
        name: find_outliers(tables[name].copy(), clinical, config, preprocessing, name)
        for name, config in parse_modalities(modalities).items()
    }
    return gather_presence(
        *(lazily({name: pair[part] for name, pair in found.items()}) for part in (0, 1))
    )


def run(tables, clinical, preprocessing, modalities=MODALITIES) -> dict[str, Any]:
    presence, excluded = find(tables, clinical, preprocessing, modalities)
    split, split_table = split_patients(presence, clinical, FORMER, FORMER, preprocessing)
    made = {
        name: preprocess_modality(
            tables[name].copy(),
            share_split(split, presence, name),
            excluded[excluded["modality"] == name],
            config,
            preprocessing,
            name,
        )
        for name, config in parse_modalities(modalities).items()
    }
    processed, preprocessors, rows = (
        {name: found[part] for name, found in made.items()} for part in range(3)
    )
    return {
        "presence": presence,
        "excluded": excluded,
        "split": split,
        "split_table": split_table,
        "processed": processed,
        "preprocessors": preprocessors,
        "quality_control": gather_quality_control(lazily(rows)),
    }


def test_the_pipeline_runs_and_its_parts_fit_together(
    tables, clinical, preprocessing, lanes_of
) -> None:
    lanes_of(MODALITIES)
    inputs = {
        **{f"tables/{name}": table for name, table in tables.items()},
        "clinical": clinical,
        "former_split": FORMER,
        "given_split": FORMER,
        "params:modalities": MODALITIES,
        **{
            f"params:modalities.{name}": config
            for name, config in parse_modalities(MODALITIES).items()
        },
        "params:preprocessing": preprocessing,
    }
    outputs = SequentialRunner().run(
        create_pipeline(),
        DataCatalog(
            {name: MemoryDataset(data, copy_mode="assign") for name, data in inputs.items()}
        ),
    )
    assert set(outputs) == {
        *(f"{kind}/{name}" for kind in ("processed", "preprocessors") for name in MODALITIES),
        "excluded_patients_table",
        "quality_control_figure",
    }
    assert len(outputs["quality_control_figure"].load()().axes) == 3
    by_hand = run(tables, clinical, preprocessing)["processed"]
    for name, table in by_hand.items():
        pd.testing.assert_frame_equal(outputs[f"processed/{name}"].load(), table)


def test_presence_split_and_processed_tables_agree(tables, clinical, preprocessing) -> None:
    result = run(tables, clinical, preprocessing)
    presence = result["presence"]
    pd.testing.assert_index_equal(presence.index, result["split"].index)
    assert list(presence.columns) == ["rnaseq", "rppa"]
    assert all(pd.api.types.is_bool_dtype(dtype) for dtype in presence.dtypes)
    for name, table in result["processed"].items():
        assert list(table.index) == list(presence.index[presence[name]])
        assert not table.isna().any(axis=None)
    assert presence.sum().to_dict() == {"rnaseq": 120, "rppa": 90}


def test_a_stored_preprocessor_processes_a_held_out_patient_as_the_cohort_run(
    tables, clinical, preprocessing
) -> None:
    result = run(tables, clinical, preprocessing)
    split = result["split"]["split"]
    processed = result["processed"]["rppa"]
    checkpoint = result["preprocessors"]["rppa"]
    preprocessor = Preprocessor.from_state(checkpoint.arrays, checkpoint.metadata)
    test = split.index[split == "test"]
    late = preprocessor.transform(
        tables["rppa"].loc[test], lambda scaled: scaled.fillna(processed.loc[test])
    )
    pd.testing.assert_frame_equal(late, processed.loc[test])


def test_values_of_test_patients_change_no_checkpoint(tables, clinical, preprocessing) -> None:
    first = run(tables, clinical, preprocessing)
    test = first["split"].index[first["split"]["split"] == "test"]
    changed = {name: table.copy() for name, table in tables.items()}
    for table in changed.values():
        table.loc[test] = table.loc[test] * 1.2 + 0.1
    second = run(changed, clinical, preprocessing)
    pd.testing.assert_frame_equal(first["split"], second["split"])
    for name, checkpoint in first["preprocessors"].items():
        other = second["preprocessors"][name]
        assert checkpoint.metadata == other.metadata
        for key, array in checkpoint.arrays.items():
            np.testing.assert_array_equal(array, other.arrays[key])
        assert (first["processed"][name].loc[test] != second["processed"][name].loc[test]).any(
            axis=None
        )


def test_what_is_left_out_is_reported_with_its_reason(tables, clinical, preprocessing) -> None:
    tables["rppa"].loc["P004"] = np.nan
    tables["rppa"].loc["P005"] = 30.0
    tables["rnaseq"]["F7"] = np.nan
    clinical.loc["P119", "cancer_type"] = None
    result = run(tables, clinical, preprocessing)
    excluded = result["excluded"][["modality", "patient_id", "rule"]]
    assert list(excluded.itertuples(index=False, name=None)) == [
        ("rnaseq", "P119", "no_cancer_type"),
        ("rppa", "P004", "missing_share"),
        ("rppa", "P005", "distance"),
        ("rppa", "P005", "level"),
    ]
    assert not result["presence"].loc[["P004", "P005"], "rppa"].any()
    assert result["presence"].loc[["P004", "P005"], "rnaseq"].all()
    assert "P119" not in result["presence"].index
    table = result["quality_control"].set_index(["modality", "step"])
    assert table.loc[("rppa", "missing_share"), "examples"] == "P004"
    assert table.loc[("rppa", "level"), "examples"] == "P005"
    assert table.loc[("rppa", "distance"), "removed"] == 0  # counted for level already
    assert table.loc[("rnaseq", "no_cancer_type"), "patients_after"] == 119
    assert table.loc[("rnaseq", "drop_empty_features"), "examples"] == "F7"
    missing = tables["rppa"].drop(index=["P004", "P005"]).isna().to_numpy().sum()
    assert table.loc[("rppa", "impute"), "imputed_cells"] == missing > 0


def test_a_patient_with_nothing_left_is_dropped_and_reported(
    tables, clinical, preprocessing, caplog
) -> None:
    tables["rnaseq"].loc["P110"] = np.nan
    with caplog.at_level("INFO", logger="tcga_coherent"):
        result = run(tables, clinical, preprocessing)
    assert "P110" not in result["split"].index
    assert result["excluded"]["patient_id"].tolist() == ["P110"]
    assert "119 patients have a modality, 1 have none left" in caplog.text


def test_a_cancer_type_with_three_patients_stops_the_run(tables, clinical, preprocessing) -> None:
    clinical.iloc[:3, 0] = "CHOL"
    with pytest.raises(ValueError, match=r"CHOL \(3\).*preprocessing\.split\.small_types to train"):
        run(tables, clinical, preprocessing)


def test_a_modality_whose_table_is_empty_is_named(tables, clinical, preprocessing) -> None:
    tables["rppa"] = tables["rppa"].iloc[:0]
    with pytest.raises(ValueError, match=r"table of rppa has no patient\. Set .* null"):
        run(tables, clinical, preprocessing)


def test_a_further_modality_needs_no_code(tables, clinical, preprocessing) -> None:
    tables["methylation"] = tables["rnaseq"] * 2
    result = run(
        tables,
        clinical,
        preprocessing,
        {**MODALITIES, "methylation": MODALITIES["rnaseq"] | {"label": "Methylation"}},
    )
    assert list(result["processed"]) == ["rnaseq", "rppa", "methylation"]


def test_a_clinical_table_of_other_patients_is_an_error(tables, clinical, preprocessing) -> None:
    with pytest.raises(ValueError, match="rnaseq: none of its 120 patients has a cancer type"):
        run(tables, clinical.rename(index=lambda p: f"X{p}"), preprocessing)


@pytest.mark.parametrize("outliers", [{"default": {}, "rpa": {"level": 3.0}}, {"rppa": {}}])
def test_outlier_bounds_of_an_unknown_modality_are_refused(outliers, repo_root) -> None:
    bad = parameters(repo_root, outliers=outliers)
    with pytest.raises(
        ValueError,
        match=rf"preprocessing\.outliers must have .* it has {', '.join(outliers)}\.",
    ):
        check_outlier_keys(bad, MODALITIES)


def test_unknown_parameters_are_refused(repo_root) -> None:
    with pytest.raises(ValidationError, match="levle"):
        parameters(repo_root, outliers={"default": {"levle": 3.0}})


def test_bounds_of_a_modality_replace_single_defaults(repo_root) -> None:
    settings = parameters(
        repo_root, outliers={"default": {"level": 6.0, "distance": 5.0}, "rppa": {"level": None}}
    )
    assert settings.outlier_bounds("rppa") == {"level": None, "distance": 5.0}
    assert settings.outlier_bounds("cna") == {"level": 6.0, "distance": 5.0}


def test_a_cancer_type_lost_to_outlier_rules_is_a_warning(
    tables, clinical, preprocessing, caplog
) -> None:
    # OV comes from a source with other names of proteins.
    of_ov = clinical.index[clinical["cancer_type"] == "OV"].intersection(tables["rppa"].index)
    tables["rppa"].loc[of_ov, tables["rppa"].columns[:15]] = np.nan
    presence, _ = find(tables, clinical, preprocessing)
    assert not presence.loc[of_ov, "rppa"].any()
    assert "rppa loses 30 of 90 patients: missing_share; see excluded_patients.csv" in caplog.text
    assert "rppa loses all 30 patients of OV" in caplog.text
    assert "rnaseq loses" not in caplog.text


def test_many_outliers_of_level_are_taken_for_other_units(
    tables, clinical, preprocessing, caplog
) -> None:
    of_ov = clinical.index[clinical["cancer_type"] == "OV"].intersection(tables["rppa"].index)
    tables["rppa"].loc[of_ov] += 100
    find(tables, clinical, preprocessing)
    low, high = tables["rppa"].min(axis=None), tables["rppa"].max(axis=None)
    assert (
        "rppa: so many outliers look like values in other units than modalities.rppa.steps expect: they "
        f"lie between {low:g} and {high:g}" in caplog.text
    )
    assert "rnaseq: so many" not in caplog.text


def test_new_patients_are_judged_by_the_bounds_of_the_parameters(
    tables, clinical, preprocessing
) -> None:
    result = run(tables, clinical, preprocessing)
    for name, checkpoint in result["preprocessors"].items():
        usual = Preprocessor.from_state(checkpoint.arrays, checkpoint.metadata).usual
        bounds = preprocessing.outlier_bounds(name)
        assert dict(zip(usual.rules, usual.bounds, strict=True)) == {
            rule: bounds[rule] for rule in usual.rules
        }


def test_a_clinical_table_without_cancer_types_is_named(tables, clinical, preprocessing) -> None:
    without = clinical.rename(columns={"cancer_type": "type"})
    with pytest.raises(ValueError, match=r"no column 'cancer_type'.*Run the ingestion pipeline"):
        find(tables, without, preprocessing)
