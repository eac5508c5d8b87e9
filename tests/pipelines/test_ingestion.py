import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.context.context import _convert_paths_to_absolute_posix
from kedro.io import DataCatalog, MemoryDataset
from kedro.io.core import DatasetError
from kedro.runner import SequentialRunner
from matplotlib.figure import Figure

from tcga_coherent.datasets.atomic import (
    AtomicParquetDataset,
    AtomicPartitionedDataset,
)
from tcga_coherent.datasets.raw.clinical_table import ClinicalTableDataset
from tcga_coherent.datasets.raw.raw_modalities import RawModalitiesDataset
from tcga_coherent.datasets.raw.xena_hub import XenaClinicalDataset, XenaHubDataset
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.omics.patients.clinical import ClinicalColumns, harmonise_clinical
from tcga_coherent.pipelines.ingestion import create_pipeline
from tcga_coherent.pipelines.ingestion.nodes import summarise_cohort, tabulate_modalities

MODALITIES: dict[str, Any] = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": []} for name in ("cna", "rppa")
}
CLINICAL = pd.DataFrame({"cancer_type": "ACC"}, index=["TCGA-AA-0001", "TCGA-AA-0002"])
RULE = BarcodeRule()


def one_patient(barcode: str) -> pd.DataFrame:
    return pd.DataFrame({"g": [1.0]}, index=[barcode], dtype=np.float32)


def raw(**barcodes: str) -> dict[str, Any]:
    return {
        name: lambda barcode=barcode: one_patient(barcode) for name, barcode in barcodes.items()
    }


def config_of(repo_root: Path, environment: str, **runtime_params: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        conf_source=str(repo_root / "conf"),
        base_env="base",
        default_run_env="local",
        env=environment,
        runtime_params=runtime_params,
        merge_strategy={"parameters": "soft"},
    )


def raw_catalog(config: OmegaConfigLoader, repo_root: Path) -> DataCatalog:
    entries = _convert_paths_to_absolute_posix(repo_root, config["catalog"])
    return DataCatalog.from_config(
        {name: entries[name] for name in ("raw_modalities", "raw_clinical")}
    )


def test_a_modality_that_the_parameters_do_not_know_is_named() -> None:
    with pytest.raises(
        ValueError,
        match=r"unknown modality 'methylation': the parameters `modalities` know cna, rppa",
    ):
        tabulate_modalities(
            raw(cna="TCGA-AA-0001", rppa="TCGA-AA-0001", methylation="TCGA-AA-0001"),
            CLINICAL,
            MODALITIES,
            RULE,
        )


def test_a_modality_without_raw_data_is_named() -> None:
    with pytest.raises(ValueError, match="unknown modality 'rppa': the raw data hold cna"):
        tabulate_modalities(raw(cna="TCGA-AA-0001"), CLINICAL, MODALITIES, RULE)


def test_a_modality_that_is_null_is_not_even_read() -> None:
    loaders = raw(cna="TCGA-AA-0001", rppa="TCGA-AA-0001") | {"wsi": lambda: 1 / 0}
    tables, report = tabulate_modalities(loaders, CLINICAL, MODALITIES | {"wsi": None}, RULE)
    assert list(tables) == ["cna", "rppa"]
    assert report["modality"].unique().tolist() == ["cna", "rppa"]


def test_modalities_without_a_common_patient_are_an_error() -> None:
    with pytest.raises(
        ValueError, match=r"No patient of modality 'cna' .* is in any other modality"
    ):
        tabulate_modalities(
            raw(cna="TCGA-AA-0001", rppa="TCGA-AA-0002"), CLINICAL, MODALITIES, RULE
        )


def test_a_matrix_read_the_wrong_way_round_names_modality_and_orientation() -> None:
    loaders = raw(cna="TCGA-AA-0001", rppa="TP53")
    with pytest.raises(ValueError, match=r"Modality 'rppa': .*such as TP53: .*orientation"):
        tabulate_modalities(loaders, CLINICAL, MODALITIES, RULE)


def test_a_fifth_modality_needs_configuration_and_data_only() -> None:
    five = ("cna", "rppa", "wsi", "rnaseq", "methylation")
    modalities = {name: MODALITIES["cna"] | {"label": name} for name in five}
    loaders = raw(**dict.fromkeys(five, "TCGA-AA-0001-01A"))
    tables, _ = tabulate_modalities(loaders, CLINICAL, modalities, RULE)
    counts, figure = summarise_cohort(
        {name: lambda table=table: table for name, table in tables.items()}, CLINICAL, modalities
    )
    assert counts.columns.tolist() == ["cancer_type", "total", *five, "complete", "incomplete"]
    assert len(figure().axes) == 6


def test_the_pipeline_writes_tables_reports_and_counts(tmp_path: Path) -> None:
    (tmp_path / "cna.tsv").write_text("g\tTCGA-AA-0001-01A\tTCGA-AA-0001-11A\ng1\t2\t3\n")
    (tmp_path / "rppa.csv").write_text("s,p1\nTCGA-AA-0001-01A,4\nTCGA-AA-0002-01A,5\n")
    (tmp_path / "clinical.csv").write_text("s,type,OS\nTCGA-AA-0001,X,1\nTCGA-AA-0002,X,7\n")
    sources = {
        "cna": {"format": "matrix", "filepath": str(tmp_path / "cna.tsv")},
        "rppa": {
            "format": "matrix",
            "filepath": str(tmp_path / "rppa.csv"),
            "orientation": "samples_by_features",
        },
    }
    columns = ClinicalColumns(
        cancer_type="type", stage=None, os_event="OS", os_days=None, age=None, sex=None
    )
    tables = AtomicPartitionedDataset(
        path=str(tmp_path / "tables"), dataset=AtomicParquetDataset, filename_suffix=".parquet"
    )
    catalog = DataCatalog(
        {
            "raw_modalities": RawModalitiesDataset(modalities=sources),
            "raw_clinical": ClinicalTableDataset(filepath=str(tmp_path / "clinical.csv")),
            "params:modalities": MemoryDataset(MODALITIES),
            "params:ingestion.clinical_columns": MemoryDataset(columns),
            "params:ingestion.barcodes": MemoryDataset(RULE),
            "params:ingestion.barcodes.scheme": MemoryDataset("tcga"),
            "modality_tables": tables,
        }
    )
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    assert {name: load().to_dict() for name, load in tables.load().items()} == {
        "cna": {"g1": {"TCGA-AA-0001": 2}},
        "rppa": {"p1": {"TCGA-AA-0001": 4, "TCGA-AA-0002": 5}},
    }
    clinical_report = outputs["clinical_report_table"].load()
    assert [
        "os_event",
        "neither 0 nor 1, set to missing",
        1,
        "7",
    ] in clinical_report.to_numpy().tolist()
    report = outputs["ingestion_report_table"].load()
    assert ["cna", "normal or control sample", 1, "TCGA-AA-0001-11A"] in report.to_numpy().tolist()
    assert outputs["table4_cohort_table"].load().to_numpy().tolist() == [
        ["X", 2, 1, 2, 1, 1],
        ["TOTAL", 2, 1, 2, 1, 1],
    ]
    assert isinstance(outputs["table4_cohort_figure"].load()(), Figure)


def test_the_real_small_cohorts_go_from_raw_files_to_tables(
    shared_dir: Path, repo_root: Path
) -> None:
    folder = shared_dir / "xena_small"
    cohorts = ["ACC", "CHOL", "UCS"]
    kinds = {"cna": "gene-level_absolute", "rnaseq": "star_counts", "rppa": "protein"}
    parameters = config_of(repo_root, "base")["parameters"]
    modalities = parameters["modalities"] | {"wsi": None}
    loaders = XenaHubDataset(
        folder=str(folder),
        cohorts=cohorts,
        modalities={name: {"format": "xena", "kind": kind} for name, kind in kinds.items()},
    ).load()
    clinical, _ = harmonise_clinical(
        XenaClinicalDataset(folder=str(folder), cohorts=cohorts).load(),
        ClinicalColumns(**parameters["ingestion"]["clinical_columns"]),
    )
    rule = BarcodeRule(**parameters["ingestion"]["barcodes"])
    tables, report = tabulate_modalities(loaders, clinical, modalities, rule)

    # Patients by the header lines of the files.
    for name, kind in kinds.items():
        barcodes: list[str] = []
        for cohort in cohorts:
            with gzip.open(folder / f"TCGA-{cohort}.{kind}.tsv.gz", "rt") as file:
                barcodes += file.readline().rstrip("\n").split("\t")[1:]
        patients = sorted({code[:12] for code in barcodes if code[13:15] == "01"})
        assert list(tables[name].index) == patients
        assert (tables[name].dtypes == np.float32).all()
        assert tables[name].index.name == "patient_id"
    normal = report.query("modality == 'rnaseq' and reason == 'normal or control sample'")
    assert normal["n"].tolist() == [9]
    only_rnaseq = set(tables["rnaseq"].index) - set(tables["rppa"].index)
    assert only_rnaseq  # patients with one missing file stay

    chol = pd.read_csv(folder / "TCGA-CHOL.star_counts.tsv.gz", sep="\t", index_col=0)
    np.testing.assert_array_equal(
        tables["rnaseq"].loc["TCGA-W5-AA2I", chol.index].to_numpy(),
        chol["TCGA-W5-AA2I-01A"].to_numpy(dtype=np.float32),
    )
    assert clinical["cancer_type"].value_counts().to_dict() == {"ACC": 92, "UCS": 57, "CHOL": 45}
    assert clinical.loc["TCGA-3X-AAVB", "stage"] == "IV"
    assert clinical.loc["TCGA-3X-AAVB", ["os_event", "os_days"]].tolist() == [0, 402]

    counts, _ = summarise_cohort(
        {name: lambda table=table: table for name, table in tables.items()}, clinical, modalities
    )
    everyone = set().union(*(table.index for table in tables.values()))
    complete = set.intersection(*(set(table.index) for table in tables.values()))
    total = counts.set_index("cancer_type").loc["TOTAL"]
    assert total["total"] == len(everyone)
    assert total["complete"] == len(complete)


def test_the_cohort_environment_reads_the_real_cohort(shared_dir: Path, repo_root: Path) -> None:
    config = config_of(repo_root, "cohort", cohort_dir=str(shared_dir / "cohort"))
    catalog = raw_catalog(config, repo_root)
    loaders = catalog.load("raw_modalities")
    assert list(loaders) == ["cna", "rnaseq", "rppa", "wsi"]
    parameters = config["parameters"]
    clinical, _ = harmonise_clinical(
        catalog.load("raw_clinical"), ClinicalColumns(**parameters["ingestion"]["clinical_columns"])
    )
    assert len(clinical) == 7737
    assert set(clinical["stage"].dropna()) == {"I", "II", "III", "IV"}
    assert set(clinical["sex"].dropna()) == {"female", "male"}
    modalities = parameters["modalities"] | {"cna": None, "rnaseq": None}
    tables, _ = tabulate_modalities(loaders, clinical, modalities, RULE)
    assert tables["rppa"].shape == (6061, 303)
    assert tables["wsi"].shape == (2265, 607)


def test_an_absent_cohort_folder_says_how_to_set_it(repo_root: Path, tmp_path: Path) -> None:
    config = config_of(repo_root, "cohort", cohort_dir=str(tmp_path / "nowhere"))
    catalog = raw_catalog(config, repo_root)
    message = (
        r"nowhere/{}.parquet does not exist. Set the cohort's folder with --params cohort_dir="
    )
    with pytest.raises(DatasetError, match=message.format("clinical")):
        catalog.load("raw_clinical")
    with pytest.raises(DatasetError, match=message.format("cna")):
        catalog.load("raw_modalities")["cna"]()


def test_the_base_environment_reads_the_hub(repo_root: Path) -> None:
    config = config_of(repo_root, "base", xena_base_url="http://127.0.0.1:9/mirror")
    entries = config["catalog"]
    assert entries["raw_modalities"]["base_url"] == "http://127.0.0.1:9/mirror"
    catalog = raw_catalog(config, repo_root)
    assert isinstance(catalog["raw_modalities"], XenaHubDataset)
    assert isinstance(catalog["raw_clinical"], XenaClinicalDataset)
    assert set(entries["raw_modalities"]["modalities"]) == set(config["parameters"]["modalities"])


def matrix(barcodes: list[str], features: list[str] = ["g"]) -> Any:  # noqa: B006
    values = np.arange(len(barcodes) * len(features), dtype=np.float32)
    return lambda: pd.DataFrame(values.reshape(len(barcodes), -1), index=barcodes, columns=features)


def test_all_modalities_of_a_patient_are_of_one_tumour(caplog: pytest.LogCaptureFixture) -> None:
    clinical = pd.DataFrame({"cancer_type": "SKCM"}, index=[f"TCGA-AA-000{n}" for n in range(3)])
    loaders = {
        "cna": matrix(["TCGA-AA-0000-01A", "TCGA-AA-0001-01A", "TCGA-AA-0001-06A"]),
        "rppa": matrix(["TCGA-AA-0000-06A", "TCGA-AA-0001-06A", "TCGA-AA-0002-06A"]),
        "wsi": matrix(["TCGA-AA-0001-06A", "TCGA-AA-0002-06A"]),
    }
    modalities = {name: MODALITIES["cna"] | {"label": name} for name in loaders}
    tables, report = tabulate_modalities(loaders, clinical, modalities, RULE)
    # Patient 0 is the primary tumour, patient 1 the metastasis, of which copy numbers exist too.
    assert tables["cna"]["g"].to_dict() == {"TCGA-AA-0000": 0, "TCGA-AA-0001": 2}
    assert tables["rppa"]["g"].to_dict() == {"TCGA-AA-0001": 1, "TCGA-AA-0002": 2}
    reason = "another tumour of the patient than in the other modalities"
    assert report[report["reason"] == reason][
        ["modality", "n", "examples"]
    ].to_numpy().tolist() == [
        ["cna", 1, "TCGA-AA-0001-01A"],
        ["rppa", 1, "TCGA-AA-0000-06A"],
    ]
    assert f"rppa: 1 samples are of {reason}" in caplog.text


def test_a_cancer_type_that_loses_its_patients_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    solid, blood = ([f"TCGA-{kind}-000{n}" for n in range(5)] for kind in ("AA", "BB"))
    clinical = pd.DataFrame({"cancer_type": ["BRCA"] * 5 + ["LAML"] * 5}, index=solid + blood)
    codes = [f"{name}-01A" for name in solid] + [f"{name}-03A" for name in blood]
    tabulate_modalities({"cna": matrix(codes), "rppa": matrix(codes)}, clinical, MODALITIES, RULE)
    assert "cna loses 5 of 10 patients: see ingestion_report.csv" in caplog.text
    assert "rppa loses all 5 patients of LAML" in caplog.text
    assert "No patient of LAML is in any modality" in caplog.text


def test_sources_that_name_features_differently_are_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = [f"TCGA-AA-000{n}" for n in range(5)]
    clinical = pd.DataFrame({"cancer_type": ["BRCA"] * 3 + ["LUAD"] * 2}, index=names)

    def stacked() -> pd.DataFrame:
        first = matrix(names[:3], ["1433BETA", "AKT"])()
        return pd.concat([first, matrix(names[3:], ["X14.3.3_beta", "Akt"])()])

    tabulate_modalities({"cna": matrix(names), "rppa": stacked}, clinical, MODALITIES, RULE)
    assert "rppa: 2 of 5 patients, of LUAD, have other features (X14.3.3_beta, Akt" in caplog.text
    assert "than the rest (1433BETA, AKT" in caplog.text


def test_a_cancer_type_called_as_the_row_of_totals_is_refused() -> None:
    tables = {name: lambda: pd.DataFrame({"g": [1.0]}, index=["P0"]) for name in MODALITIES}
    clinical = pd.DataFrame({"cancer_type": ["TOTAL"]}, index=["P0"])
    with pytest.raises(ValueError, match="cancer type TOTAL would be taken for the row of totals"):
        summarise_cohort(tables, clinical, MODALITIES)
