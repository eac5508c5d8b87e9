import gzip
from collections.abc import Callable, Mapping
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

from tcga_coherent.datasets.raw.clinical_table import ClinicalTableDataset
from tcga_coherent.datasets.raw.raw_modality import MatrixDataset, RawSamples, TitanDataset
from tcga_coherent.datasets.raw.xena_hub import XenaClinicalDataset, XenaMatrixDataset
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.omics.patients.clinical import ClinicalColumns, harmonise_clinical
from tcga_coherent.pipelines.ingestion import create_pipeline
from tcga_coherent.pipelines.ingestion.nodes import (
    check_samples,
    list_samples,
    summarise_cohort,
    tabulate_modality,
)
from tcga_coherent.pipelines.lanes import join_rows
from tests.pipelines.latent_cohort import lazily

MODALITIES: dict[str, Any] = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": []} for name in ("cna", "rppa")
}
CLINICAL = pd.DataFrame({"cancer_type": "ACC"}, index=["TCGA-AA-0001", "TCGA-AA-0002"])
RULE = BarcodeRule()
COLUMNS = ClinicalColumns(
    cancer_type="type", stage=None, os_event="OS", os_days=None, age=None, sex=None
)


def one_patient(barcode: str) -> Callable[[], pd.DataFrame]:
    return lambda: pd.DataFrame({"g": [1.0]}, index=[barcode], dtype=np.float32)


def tabulate(
    raw: Mapping[str, Callable[[], pd.DataFrame]],
    clinical: pd.DataFrame = CLINICAL,
    rule: BarcodeRule = RULE,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the tables by modality and the report of all."""
    return tabulate_samples(
        {name: RawSamples(lambda read=read: read().index, read) for name, read in raw.items()},
        clinical,
        rule,
    )


def tabulate_samples(
    raw: Mapping[str, RawSamples], clinical: pd.DataFrame, rule: BarcodeRule
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    listed = lazily({name: list_samples(samples) for name, samples in raw.items()})
    other = check_samples(listed, clinical, rule)
    made = {
        name: tabulate_modality(samples, other, clinical, rule, name)
        for name, samples in raw.items()
    }
    for table, measured, _ in made.values():
        pd.testing.assert_index_equal(measured.index, table.index)
        assert measured.shape[1] == 0
    reports = lazily({name: report for name, (_, _, report) in made.items()})
    return {name: table for name, (table, _, _) in made.items()}, join_rows(reports)


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
        {name: entry for name, entry in entries.items() if name.startswith("raw")}
    )


def test_modalities_without_a_common_patient_are_an_error() -> None:
    with pytest.raises(
        ValueError, match=r"No patient of modality 'cna' .* is in any other modality"
    ):
        tabulate({"cna": one_patient("TCGA-AA-0001"), "rppa": one_patient("TCGA-AA-0002")})


def test_a_matrix_read_the_wrong_way_round_names_modality_and_orientation() -> None:
    with pytest.raises(ValueError, match=r"Modality 'rppa': .*such as TP53: .*orientation"):
        tabulate({"cna": one_patient("TCGA-AA-0001"), "rppa": one_patient("TP53")})


def test_a_fifth_modality_needs_configuration_and_data_only() -> None:
    five = ("cna", "rppa", "wsi", "rnaseq", "methylation")
    modalities = {name: MODALITIES["cna"] | {"label": name} for name in five}
    tables, _ = tabulate(dict.fromkeys(five, one_patient("TCGA-AA-0001-01A")))
    counts, figure = summarise_cohort(lazily(tables), CLINICAL, modalities)
    assert counts.columns.tolist() == ["cancer_type", "total", *five, "complete", "incomplete"]
    assert len(figure().axes) == 6


def catalog_of(raw: Mapping[str, Any], clinical: Path) -> DataCatalog:
    return DataCatalog(
        {
            **{f"raw/{name}": dataset for name, dataset in raw.items()},
            "raw_clinical": ClinicalTableDataset(filepath=str(clinical)),
            "params:modalities": MemoryDataset(MODALITIES),
            "params:ingestion.clinical_columns": MemoryDataset(COLUMNS),
            "params:ingestion.barcodes": MemoryDataset(RULE),
            "params:ingestion.barcodes.scheme": MemoryDataset("tcga"),
        }
    )


@pytest.fixture
def clinical_file(tmp_path: Path) -> Path:
    path = tmp_path / "clinical.csv"
    path.write_text("s,type,OS\nTCGA-AA-0001,X,1\nTCGA-AA-0002,X,7\n")
    return path


def test_the_pipeline_writes_tables_reports_and_counts(
    tmp_path: Path, clinical_file: Path, lanes_of: Any
) -> None:
    (tmp_path / "cna.tsv").write_text("g\tTCGA-AA-0001-01A\tTCGA-AA-0001-11A\ng1\t2\t3\n")
    (tmp_path / "rppa.csv").write_text("s,p1\nTCGA-AA-0001-01A,4\nTCGA-AA-0002-01A,5\n")
    raw = {
        "cna": MatrixDataset(filepath=str(tmp_path / "cna.tsv")),
        "rppa": MatrixDataset(
            filepath=str(tmp_path / "rppa.csv"), orientation="samples_by_features"
        ),
    }
    lanes_of(MODALITIES | {"wsi": None})
    outputs = SequentialRunner().run(create_pipeline(), catalog_of(raw, clinical_file))
    assert {name: outputs[f"tables/{name}"].load().to_dict() for name in raw} == {
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


@pytest.mark.parametrize("wrong", ["cna", "rppa"])
def test_the_names_of_all_modalities_are_checked_before_a_value_is_read(
    wrong: str, clinical_file: Path, lanes_of: Any
) -> None:
    read = []

    def raw(name: str) -> RawSamples:
        barcode = "slide 7" if name == wrong else "TCGA-AA-0001-01A"

        def values() -> pd.DataFrame:
            read.append(name)
            return one_patient(barcode)()

        return RawSamples(lambda: pd.Index([barcode]), values)

    lanes_of(MODALITIES)
    datasets = {name: MemoryDataset(raw(name), copy_mode="assign") for name in MODALITIES}
    with pytest.raises(ValueError, match=rf"Modality '{wrong}': .*slide 7"):
        SequentialRunner().run(create_pipeline(), catalog_of(datasets, clinical_file))
    assert read == []


def test_the_real_small_cohorts_go_from_raw_files_to_tables(
    shared_dir: Path, repo_root: Path
) -> None:
    folder = shared_dir / "xena_small"
    cohorts = ["ACC", "CHOL", "UCS"]
    kinds = {"cna": "gene-level_absolute", "rnaseq": "star_counts", "rppa": "protein"}
    parameters = config_of(repo_root, "base")["parameters"]
    modalities = parameters["modalities"] | {"wsi": None}
    raw = {
        name: XenaMatrixDataset(folder=str(folder), cohorts=cohorts, kind=kind).load()
        for name, kind in kinds.items()
    }
    clinical, _ = harmonise_clinical(
        XenaClinicalDataset(folder=str(folder), cohorts=cohorts).load(),
        ClinicalColumns(**parameters["ingestion"]["clinical_columns"]),
    )
    rule = BarcodeRule(**parameters["ingestion"]["barcodes"])
    tables, report = tabulate_samples(raw, clinical, rule)

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

    counts, _ = summarise_cohort(lazily(tables), clinical, modalities)
    everyone = set().union(*(table.index for table in tables.values()))
    complete = set.intersection(*(set(table.index) for table in tables.values()))
    total = counts.set_index("cancer_type").loc["TOTAL"]
    assert total["total"] == len(everyone)
    assert total["complete"] == len(complete)


def test_the_cohort_environment_reads_the_real_cohort(shared_dir: Path, repo_root: Path) -> None:
    config = config_of(repo_root, "cohort", cohort_dir=str(shared_dir / "cohort"))
    catalog = raw_catalog(config, repo_root)
    assert [name for name in catalog if name.startswith("raw/")] == [
        f"raw/{name}" for name in config["parameters"]["modalities"]
    ]
    parameters = config["parameters"]
    clinical, _ = harmonise_clinical(
        catalog.load("raw_clinical"), ClinicalColumns(**parameters["ingestion"]["clinical_columns"])
    )
    assert len(clinical) == 7737
    assert set(clinical["stage"].dropna()) == {"I", "II", "III", "IV"}
    assert set(clinical["sex"].dropna()) == {"female", "male"}
    raw = {name: catalog.load(f"raw/{name}") for name in ("rppa", "wsi")}
    tables, _ = tabulate_samples(raw, clinical, RULE)
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
        catalog.load("raw/cna").names()
    with pytest.raises(DatasetError, match=message.format("cna")):
        catalog.load("raw/cna").read()


def test_the_base_environment_reads_the_hub(repo_root: Path) -> None:
    config = config_of(repo_root, "base", xena_base_url="http://127.0.0.1:9/mirror")
    entries = config["catalog"]
    catalog = raw_catalog(config, repo_root)
    hub = {name for name in catalog if isinstance(catalog[name], XenaMatrixDataset)}
    assert hub == {"raw/cna", "raw/rnaseq", "raw/rppa"}
    for name in (*hub, "raw_clinical"):
        assert entries[name]["base_url"] == "http://127.0.0.1:9/mirror"
    assert isinstance(catalog["raw/wsi"], TitanDataset)
    assert isinstance(catalog["raw_clinical"], XenaClinicalDataset)
    modalities = config["parameters"]["modalities"]
    assert {name for name in catalog if name.startswith("raw/")} == {
        f"raw/{name}" for name in modalities
    }


def matrix(barcodes: list[str], features: list[str] = ["g"]) -> Any:  # noqa: B006
    values = np.arange(len(barcodes) * len(features), dtype=np.float32)
    return lambda: pd.DataFrame(values.reshape(len(barcodes), -1), index=barcodes, columns=features)


def test_a_modality_of_normal_samples_alone_is_named() -> None:
    raw = {name: one_patient("TCGA-AA-0001-01A") for name in ("cna", "wsi")}
    with pytest.raises(ValueError, match=r"Modality 'rppa' has no patient .* 1 dropped"):
        tabulate({**raw, "rppa": one_patient("TCGA-AA-0001-11A")})


def test_all_modalities_of_a_patient_are_of_one_tumour(caplog: pytest.LogCaptureFixture) -> None:
    clinical = pd.DataFrame({"cancer_type": "SKCM"}, index=[f"TCGA-AA-000{n}" for n in range(3)])
    loaders = {
        "cna": matrix(["TCGA-AA-0000-01A", "TCGA-AA-0001-01A", "TCGA-AA-0001-06A"]),
        "rppa": matrix(["TCGA-AA-0000-06A", "TCGA-AA-0001-06A", "TCGA-AA-0002-06A"]),
        "wsi": matrix(["TCGA-AA-0001-06A", "TCGA-AA-0002-06A"]),
    }
    tables, report = tabulate(loaders, clinical)
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
    tabulate({"cna": matrix(codes), "rppa": matrix(codes)}, clinical)
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

    tabulate({"cna": matrix(names), "rppa": stacked}, clinical)
    assert "rppa: 2 of 5 patients, of LUAD, have other features (X14.3.3_beta, Akt" in caplog.text
    assert "than the rest (1433BETA, AKT" in caplog.text


def test_a_cancer_type_called_as_the_row_of_totals_is_refused() -> None:
    tables = {name: lambda: pd.DataFrame({"g": [1.0]}, index=["P0"]) for name in MODALITIES}
    clinical = pd.DataFrame({"cancer_type": ["TOTAL"]}, index=["P0"])
    with pytest.raises(ValueError, match="cancer type TOTAL would be taken for the row of totals"):
        summarise_cohort(tables, clinical, MODALITIES)
