"""The report's nodes, in their place behind all others."""

import pandas as pd
import pytest
from kedro.framework.project import configure_project, pipelines

from tcga_coherent.pipelines.evaluation import create_pipeline
from tcga_coherent.pipelines.evaluation.report import export_latex, write_report
from tcga_coherent.report.parts import Image, Parts
from tcga_coherent.reported import ReportedByPaper, ReportedCancerType

PARAMETERS = {
    "compute": {"device": "cpu"},
    "modalities": {
        name: {"label": name.upper(), "color": "#000000", "steps": []} for name in ("cna", "wsi")
    },
    "reported_by_paper": ReportedByPaper((), (), ()),
}
REPORTED = ReportedByPaper((), (), (ReportedCancerType("BRCA", 7, 3, {"cna": 5, "wsi": 4}),))
TIMES = pd.DataFrame(columns=["node", "pipeline", "seconds", "finished"])
COHORT = pd.DataFrame(
    {"cancer_type": ["BRCA", "TOTAL"], "total": [11, 11], "cna": [9, 9], "wsi": [8, 8]}
)


@pytest.fixture
def folder():
    return Parts(
        "demo",
        {
            "table4_cohort": lambda: COHORT,
            "fig1_umap": lambda: pd.DataFrame({"space": ["all"], "set": ["old"]}),
        },
        {"fig1_umap": lambda: Image("image/png", b"old")},
    )


def test_the_page_shows_what_was_just_made_and_what_lies_in_the_folder(folder):
    made = {
        "fig1_umap_table": pd.DataFrame({"space": ["all"], "set": ["new"]}),
        "fig1_umap_figure": "<svg/>",
    }
    page = write_report(folder, TIMES, PARAMETERS, REPORTED, **made)
    assert "<td>new</td>" in page
    assert "<td>old</td>" not in page
    assert page.count("<img ") == 1
    assert "data:image/svg+xml" in page
    for ours, papers in (("11", "7"), ("9", "5"), ("8", "4")):
        assert f'<td class="number">{ours}</td>' in page
        assert f'<td class="number">{papers}</td>' in page
    assert "kedro run --env demo --pipeline privacy" in page


def test_every_table_of_the_page_is_there_for_latex(folder):
    tables = export_latex(folder, PARAMETERS, REPORTED)
    assert sorted(tables) == ["fig1_umap", "s1_umap", "table4_cohort"]
    row = r"BRCA & 11 & 9 & 8 & 7 & 5 & 4 & 3 & 4 \\"
    assert row in tables["table4_cohort"]


def test_the_report_reads_all_that_the_evaluation_makes_and_comes_last():
    pipeline = create_pipeline()
    report = pipeline.only_nodes_with_tags("report")
    made = {
        name for name in (pipeline - report).all_outputs() if name.endswith(("_table", "_figure"))
    }
    assert {"table1_reconstruction_table", "fig1_umap_figure"} <= made
    for node in report.nodes:
        assert made <= set(node.inputs)
    assert {node.name for node in pipeline.nodes[-2:]} == {node.name for node in report.nodes}


def test_in_the_main_job_nothing_comes_after_the_report():
    configure_project("tcga_coherent")
    pipelines.set_requested(None)
    names = [node.name for node in pipelines["__default__"].nodes]
    assert set(names[-2:]) == {"evaluation.report.write_report", "evaluation.report.export_latex"}
