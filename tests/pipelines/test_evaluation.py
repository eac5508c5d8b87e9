import logging
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator
from matplotlib.image import imread

from tcga_coherent.configuration import join_environment
from tcga_coherent.datasets.csv_table import read_table
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.pipelines.evaluation import create_pipeline
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.evaluation.report import export_latex, write_report
from tcga_coherent.report.parts import Parts
from tcga_coherent.reported import ReportedByPaper
from tcga_coherent.source_sets import generative_methods, partition_name, source_sets
from tests.pipelines.lane_inputs import by_lane, draws_by_lane
from tests.pipelines.latent_cohort import lazily
from tests.pipelines.linear_encoders import N_FEATURES, feature_inputs
from tests.studies.coherence.made_up_probe import made_up_probe

N_DRAWS = 5
# Parts with a test file of their own.
TESTED_ELSEWHERE = ("counterfactual", "downstream", "report", "rescue", "signal", "statistics")
FIGURES = (
    "table1_reconstruction",
    "s2_reconstruction_by_type",
    "s2_source_sets_by_type",
    "decoded_reconstruction",
    "fig1_umap",
    "s1_umap",
    "calibration",
    "calibration_by_type",
    "coherence_error",
)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch, lanes_of) -> None:
    """The catalog's paths are relative: what a run writes is not to lie in the project."""
    lanes_of({"cna": {}, "rnaseq": {}})
    monkeypatch.chdir(tmp_path)


def inputs_of(names: list[str], seed: int = 0) -> dict:
    """Inputs of the pipeline for 200 patients whose modalities share a factor."""
    rng = np.random.default_rng(seed)
    patients = pd.Index([f"TCGA-{i:03d}" for i in range(200)], name="patient_id")
    columns = [f"z{i:02d}" for i in range(3)]
    factor = rng.standard_normal((200, 1))
    frames = {
        name: pd.DataFrame(
            (factor + rng.standard_normal((200, 3))) / np.sqrt(2), patients, columns, np.float32
        )
        for name in names
    }
    split = pd.DataFrame(
        {
            "split": np.repeat(["train", "val", "test"], [120, 30, 50]),
            "cancer_type": np.where(factor[:, 0] > 0, "LUAD", "BRCA"),
        },
        index=patients,
    )
    index = pd.MultiIndex.from_product([patients[150:], range(N_DRAWS)])
    index.names = ["patient_id", "draw"]
    draws = {}
    for target in names:
        for sources in source_sets(target, names):
            for method in generative_methods(sources):
                mean = sum(frames[name].loc[patients[150:]] for name in sources)
                values = np.repeat(mean.to_numpy() / 4, N_DRAWS, axis=0)
                frame = pd.DataFrame(
                    values + 0.5 * rng.standard_normal(values.shape), index, columns, np.float32
                )
                draws[partition_name(target, method, sources)] = lambda frame=frame: frame
    colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"]
    return {
        **draws_by_lane(draws),
        "coherence_probe": made_up_probe(names, names, n_patients=40),
        "params:coherent_sampling": SamplingConfig(n_draws=N_DRAWS, antithetic=False),
        **by_lane(
            latents=lazily(frames), codes=lazily(frames), **feature_inputs(frames, patients[:120])
        ),
        "split": split,
        "presence": pd.DataFrame(True, index=patients, columns=names),
        "params:source_sets": "all",
        "params:modalities": {
            name: {"label": name.upper(), "color": color, "steps": []}
            for name, color in zip(names, colors, strict=False)
        },
    }


def tested_here() -> Pipeline:
    """The pipeline without the parts that have a test file of their own."""
    return Pipeline(
        node
        for node in create_pipeline().nodes
        if "baselines" in node.tags or not node.tags & set(TESTED_ELSEWHERE)
    )


@pytest.fixture(scope="module")
def raw_parameters(repo_root) -> dict:
    with open(repo_root / "conf/base/parameters/evaluation.yml", encoding="utf-8") as file:
        return yaml.safe_load(file)


@pytest.fixture(scope="module")
def parameters(raw_parameters) -> EvaluationParameters:
    """The project's own parameters as a run gets them."""
    validator = ParameterValidator({"evaluation": create_pipeline()})
    return validator.validate_raw_params(raw_parameters)["evaluation"]


def run(
    names: list[str],
    parameters: EvaluationParameters,
    repo_root: Path,
    tags: tuple[str, ...] = (),
    **changes,
) -> Path:
    """Run the pipeline with the project's own catalog of reports; return their folder."""
    config = OmegaConfigLoader(
        conf_source=str(repo_root / "conf"), base_env="base", default_run_env="local", env="demo"
    )
    written = ("{name}_table", "{name}_figure", "baseline_predictions")
    catalog = DataCatalog.from_config({name: config["catalog"][name] for name in written})
    everything = inputs_of(names) | {"params:evaluation": parameters} | changes
    tasks = {"tasks": parameters.tasks}
    join_environment("", {"modalities": everything["params:modalities"], "evaluation": tasks})
    for name, data in everything.items():
        catalog[name] = MemoryDataset(data, copy_mode="assign")
    pipeline = tested_here()
    SequentialRunner().run(pipeline.only_nodes_with_tags(*tags) if tags else pipeline, catalog)
    return Path("data/08_reporting/demo")


@pytest.mark.parametrize(
    ("names", "n_rows"),
    [
        (["cna", "rnaseq", "rppa"], 3 * (2 + 3 + 3 + 12)),
        (["cna", "rnaseq", "rppa", "wsi", "methylation"], 5 * (4 + 15 + 15 + 60)),
    ],
)
def test_the_pipeline_writes_tables_and_figures_for_any_modalities(
    names, n_rows, parameters, repo_root, caplog
) -> None:
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        folder = run(names, parameters, repo_root)
    table = pd.read_csv(folder / "table1_reconstruction.csv")
    assert len(table) == n_rows
    assert table["r2_of_mean"].notna().all()
    by_type = pd.read_csv(folder / "s2_reconstruction_by_type.csv")
    assert len(by_type) == 3 * n_rows
    decoded = pd.read_csv(folder / "decoded_reconstruction.csv")
    assert len(decoded) == len(names) * 7 * 2
    assert (decoded["n_features"] == N_FEATURES).all()
    # The encoder loses the noise beside its axes; nothing generated comes near it.
    scores = decoded[decoded["unit"] == "standardised"].pivot_table(
        index="target", columns="method", values="r2"
    )
    assert (scores["ceiling"] > 0.7).all()
    assert (scores.drop(columns="ceiling").lt(scores["ceiling"] - 0.2, axis=0)).all(axis=None)
    assert len(pd.read_csv(folder / "decoded_features.csv")) == len(names) * 2 * N_FEATURES
    umap_table = pd.read_csv(folder / "fig1_umap.csv")
    assert list(umap_table["space"].unique()) == ["all", *names]
    drawn = umap_table[umap_table["trustworthiness"].notna()]
    assert list(drawn["set"]) == ["real", "multi", "coherent"] * (1 + len(names))
    calibration = pd.read_csv(folder / "calibration.csv")
    assert list(calibration["method"].unique()) == ["multi", "coherent", "ridge_features"]
    assert set(calibration["cancer_type"]) == {"all", "LUAD", "BRCA"}
    coherence = pd.read_csv(folder / "coherence_error.csv")
    found = coherence[coherence["measure"] == "auroc"]
    assert len(found) == 3 * len(names) * (len(names) - 1)
    for figure in FIGURES:
        height, width, _ = imread(folder / f"{figure}.png").shape
        assert min(height, width) > 300
    for told in (
        "R2 of the mean draw",
        "more is known of patients than their type",
        "median correlation",
        "coverage of the 50 %",
        "draws rejected",
    ):
        lines = [line for line in caplog.messages if told in line]
        assert sorted(line.split(":")[0] for line in lines) == sorted(names)
    assert "5 draws a patient reach no 90 % interval" in caplog.text
    assert "nominal_90 = 0.67" in caplog.text
    assert "could not be made" not in caplog.text


def test_names_mean_nothing_to_tables_figures_and_report(parameters, repo_root, caplog) -> None:
    names = ["cna", "rnaseq"]
    types = ["=1+1", "NA", "None", "TP$53$", "all", "mean", "01"]
    # As many cancer types as TCGA has, and some more.
    types += [f"type {i:02d}" for i in range(28)]
    inputs = inputs_of(names)
    split = inputs["split"].assign(cancer_type=(types * 6)[:200])
    modalities = inputs["params:modalities"]
    modalities["rnaseq"]["label"] = r"$\nonsense$"
    folder = run(names, parameters, repo_root, split=split, **{"params:modalities": modalities})
    tables = {file.stem: partial(read_table, file) for file in folder.glob("*.csv")}
    tested = sorted(set(split["cancer_type"][150:]))
    for name in ("s2_reconstruction_by_type", "calibration"):
        table = tables[name]()
        assert sorted(table.loc[~table["every_type"], "cancer_type"].unique()) == tested
        assert set(table.loc[table["every_type"], "cancer_type"]) == {"(all)"}
        assert (table.loc[table["every_type"], "n_patients"] > 5).all()
    reported = ReportedByPaper((), (), ())
    settings = {
        "modalities": modalities,
        "compute": {"device": "cpu"},
        "reported_by_paper": reported,
    }
    parts = Parts("demo", tables, {})
    times = pd.DataFrame(columns=["node", "pipeline", "seconds", "finished"])
    page = write_report(parts, times, settings, reported)
    for shown in ("<td>=1+1</td>", "<td>NA</td>", "<td>all</td>", "<td>(all)</td>", "TP$53$"):
        assert shown in page
    assert r"TP\$53\$" in export_latex(parts, settings, reported)["s2_reconstruction_by_type"]
    assert "could not be made" not in caplog.text + page


def test_too_few_patients_for_a_map_are_said_in_its_table_and_figures(
    raw_parameters, repo_root, caplog
) -> None:
    manifold = raw_parameters["evaluation"]["manifold"] | {"n_neighbors": 500}
    changed = {"evaluation": raw_parameters["evaluation"] | {"manifold": manifold}}
    validator = ParameterValidator({"evaluation": create_pipeline()})
    parameters = validator.validate_raw_params(changed)["evaluation"]
    folder = run(["cna", "rnaseq"], parameters, repo_root, tags=("baselines", "fidelity"))
    (note,) = pd.read_csv(folder / "fig1_umap.csv")["note"]
    assert note.startswith("120 complete training patients are too few for evaluation.manifold.n_n")
    assert "No projection of patients: 120 complete" in caplog.text
    assert (folder / "fig1_umap.png").exists()
    assert (folder / "s1_umap.png").exists()


def test_a_missing_partition_stops_the_run_with_its_name(parameters, repo_root) -> None:
    draws = inputs_of(["cna", "rnaseq"])["draws/rnaseq"]
    del draws["multi/cna"]
    with pytest.raises(ValueError, match="test_draws has no partition rnaseq/multi/cna"):
        run(["cna", "rnaseq"], parameters, repo_root, **{"draws/rnaseq": draws})


def test_latents_with_nan_stop_the_run_with_modality_and_patient(parameters, repo_root) -> None:
    spoilt = inputs_of(["cna", "rnaseq"])["latents/rnaseq"].copy()
    spoilt.iloc[160, 1] = np.nan
    with pytest.raises(ValueError, match=r"latents of rnaseq hold values .* TCGA-160:"):
        run(["cna", "rnaseq"], parameters, repo_root, **{"latents/rnaseq": spoilt})


def test_the_papers_values_are_those_of_its_table(parameters, shared_dir) -> None:
    printed = pd.read_csv(shared_dir / "paper_tables" / "table1_reconstruction.csv")
    modalities = set(printed["target"])
    typed = pd.DataFrame([row.__dict__ for row in parameters.reported_by_paper])[printed.columns]
    everything = [
        set(source.split("+")) == modalities - {target}
        for target, source in zip(typed["target"], typed["source"], strict=True)
    ]
    typed.loc[everything, "source"] = "all"
    pd.testing.assert_frame_equal(typed, printed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sede": 1}, "sede"),
        ({"bootstrap": {"repeats": 1000, "level": 95}}, r"bootstrap\.level"),
        ({"calibration": {"levels": [50], "spread_bins": 8}}, r"calibration\.levels\.0"),
        ({"manifold": {"n_neighbours": 15}}, r"manifold\.n_neighbours"),
        (
            {
                "baselines": {
                    "ridge_alphas": [0],
                    "ridge_features_alphas": [1],
                    "knn_neighbors": [5],
                }
            },
            r"ridge_alphas\.0",
        ),
    ],
)
def test_a_bad_parameter_is_refused_before_the_run_by_its_key(
    raw_parameters, change, message
) -> None:
    validator = ParameterValidator({"evaluation": create_pipeline()})
    bad = {"evaluation": raw_parameters["evaluation"] | change}
    with pytest.raises(Exception, match=message):
        validator.validate_raw_params(bad)


def test_the_wiring_reads_persisted_inputs_and_writes_reports_alone() -> None:
    pipeline = tested_here()
    assert pipeline.inputs() == {
        *(
            f"{kind}/{name}"
            for kind in ("draws", "latents", "codes", "processed", "encoders", "preprocessors")
            for name in ("cna", "rnaseq")
        ),
        "split",
        "presence",
        "coherence_probe",
        "params:modalities",
        "params:source_sets",
        "params:coherent_sampling",
        "params:evaluation",
    }
    assert pipeline.all_outputs() == {
        "baseline_predictions",
        "s2_reconstruction_by_type_table",
        "s2_reconstruction_by_type_figure",
        "s2_source_sets_by_type_figure",
        "decoded_reconstruction_table",
        "decoded_reconstruction_figure",
        "decoded_features_table",
        "s1_umap_figure",
        "table1_reconstruction_table",
        "table1_reconstruction_figure",
        "calibration_table",
        "calibration_figure",
        "calibration_by_type_figure",
        "coherence_error_table",
        "coherence_error_figure",
        "fig1_umap_table",
        "fig1_umap_figure",
        *(
            f"rows/{table}/{name}"
            for table in ("decoded_reconstruction", "decoded_features", "decoded_correlations")
            for name in ("cna", "rnaseq")
        ),
    }


def test_importing_the_pipeline_imports_neither_umap_nor_torch() -> None:
    code = (
        "import sys, tcga_coherent.pipelines.evaluation; "
        "sys.exit(' '.join({'umap', 'numba', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.strip() == ""
