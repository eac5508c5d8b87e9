import json
import os
import re
import shutil
import subprocess
import sys

import matplotlib
import pandas as pd
import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

matplotlib.use("Agg")

LAYERS = ["raw", "intermediate", "primary", "model_input", "models", "model_output", "reporting"]
# Tables of counts may give patients as examples.
TABLES_THAT_NAME_PATIENTS = {
    "clinical_report_table",
    "ingestion_report_table",
    "slides_report_table",
    "quality_control_table",
    "excluded_patients_table",
}
# A module of this name is imported when Python starts.
NO_NETWORK = """
import socket

def refuse(*args, **kwargs):
    raise OSError("there is no network in this test")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


def read_catalog(repo_root, env):
    """Return the datasets of all pipelines by name; None where the catalog has no entry."""
    bootstrap_project(repo_root)
    pipelines.set_requested(None)
    names = set().union(*(pipeline.datasets() for pipeline in pipelines.values()))
    with KedroSession.create(repo_root, env=env) as session:
        catalog = session.load_context().catalog
    names = {name for name in names if name != "parameters" and not name.startswith("params:")}
    return {name: catalog.get(name) for name in names}


@pytest.mark.parametrize("env", ["base", "demo", "cohort", "gpu", "paper", "her2st", "tcga_tiles"])
def test_every_dataset_on_disk_has_a_layer_and_none_of_patients_is_previewed(repo_root, env):
    datasets = read_catalog(repo_root, env)
    assert {"raw/cna", "latents/cna", "table1_reconstruction_table"} <= set(datasets)
    for name, dataset in datasets.items():
        if dataset is None:
            continue
        metadata = dataset.metadata["kedro-viz"]
        # Rows of a lane belong to the layer of the node that joins them.
        assert metadata.get("layer", "rows") in [*LAYERS, "rows"], name
        shows_patients = metadata.get("layer") not in ("models", "reporting")
        if shows_patients or name in TABLES_THAT_NAME_PATIENTS:
            assert metadata["preview"] is False, name


def test_nothing_passes_between_nodes_without_a_file(repo_root):
    datasets = read_catalog(repo_root, "demo")
    assert [name for name, dataset in datasets.items() if dataset is None] == []


@pytest.fixture(scope="module")
def lineage_page(repo_root, tmp_path_factory):
    """Folder of the API responses of a lineage page that was built without a network."""
    project = tmp_path_factory.mktemp("project")
    for part in ("conf", "src"):
        shutil.copytree(
            repo_root / part, project / part, ignore=shutil.ignore_patterns("__pycache__", "local")
        )
    (project / "conf" / "local").mkdir()
    shutil.copy(repo_root / "pyproject.toml", project)
    put_results(project / "data")

    modules = tmp_path_factory.mktemp("modules")
    (modules / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(modules), "KEDRO_ENV": "demo"}
    probe = "import urllib.request as u; u.urlopen('http://127.0.0.1:9')"
    refused = subprocess.run(
        [sys.executable, "-c", probe], env=environment, capture_output=True, text=True, check=False
    )
    assert "there is no network in this test" in refused.stderr

    built = subprocess.run(
        [sys.executable, "-m", "kedro", "viz", "build", "--include-previews"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (project / "build" / "index.html").is_file(), built.stdout + built.stderr
    return project / "build" / "api"


def put_results(data):
    """Write results of a demo run: a table, a figure, and two tables of patients."""
    reports = data / "08_reporting" / "demo"
    reports.mkdir(parents=True)
    table = pd.DataFrame({"target": ["cna"], "method": ["coherent"], "crps": [0.4375]})
    table.to_csv(reports / "table1_reconstruction.csv", index=False)
    figure = matplotlib.figure.Figure()
    figure.savefig(reports / "table1_reconstruction.png")
    patients = pd.DataFrame({"patient_id": ["TCGA-ZZ-0001"], "rule": ["level"]})
    patients.to_csv(reports / "excluded_patients.csv", index=False)
    clinical = data / "02_intermediate" / "demo" / "clinical.parquet"
    clinical.parent.mkdir(parents=True)
    patients.set_index("patient_id").to_parquet(clinical)


def read_previews(lineage_page):
    nodes = [json.loads(path.read_text()) for path in (lineage_page / "nodes").iterdir()]
    return {
        node["filepath"].rsplit("/", 1)[-1]: node["preview"]
        for node in nodes
        if node.get("filepath") and node.get("preview")
    }


def test_the_lineage_has_its_layers_in_the_order_of_the_work(lineage_page):
    assert json.loads((lineage_page / "main").read_text())["layers"] == LAYERS


def test_the_lineage_previews_tables_and_figures(lineage_page):
    previews = read_previews(lineage_page)
    assert previews["table1_reconstruction.csv"]["data"] == [["cna", "coherent", 0.4375]]
    # The first bytes of a PNG in base 64.
    assert previews["table1_reconstruction.png"].startswith("iVBORw0KGgo")


def test_the_lineage_shows_no_patient(lineage_page):
    assert set(read_previews(lineage_page)) == {
        "table1_reconstruction.csv",
        "table1_reconstruction.png",
    }
    pages = [path for path in lineage_page.rglob("*") if path.is_file()]
    assert not [path for path in pages if b"TCGA-ZZ-0001" in path.read_bytes()]


def test_the_pages_ask_for_no_font_after_the_documented_command(lineage_page, repo_root):
    readme = (repo_root / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^sed .*?(?=  )", readme, re.MULTILINE)
    assert command
    subprocess.run(command[0], shell=True, check=True, cwd=lineage_page.parents[1])
    pages = [page.read_text(encoding="utf-8") for page in lineage_page.parent.glob("*.html")]
    assert len(pages) >= 2
    for page in pages:
        assert "fonts.g" not in page
