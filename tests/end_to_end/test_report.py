"""The report of the small demo, and what becomes of it where a cohort lacks what tasks need."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.projects import Project

CONTRACTS = (
    "table1_reconstruction",
    "table2_rescue",
    "table4_cohort",
    "fig2_signal",
    "fig4_counterfactual",
)
FIGURES = ("fig1_umap", "s1_umap", "fig2_signal", "fig3_rescue", "fig4_counterfactual")


class Page(HTMLParser):
    """Headings of a page, and everything it would load."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.headings: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        # A link in the text loads nothing before it is followed.
        self.loads += [v or "" for k, v in attrs if k in ("src", "srcset") or tag == "link"]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "h2":
            self.headings.append(data.strip())


def read(demo: Project) -> Page:
    return Page(demo.path("08_reporting", "report.html").read_text(encoding="utf-8"))


def test_tables_that_others_rely_on_are_there(demo: Project) -> None:
    for name in CONTRACTS:
        table = pd.read_csv(demo.path("08_reporting", f"{name}.csv"))
        assert len(table), name
        latex = demo.path("08_reporting", f"latex/{name}.tex").read_text(encoding="utf-8")
        assert r"\toprule" in latex, name


def test_figures_are_for_screens_and_for_print(demo: Project) -> None:
    for name in FIGURES:
        assert demo.path("08_reporting", f"{name}.png").stat().st_size > 20_000
        assert "</svg>" in demo.path("08_reporting", f"{name}.svg").read_text(encoding="utf-8")


def test_the_report_is_one_page_that_loads_nothing(demo: Project) -> None:
    page = read(demo)
    assert "script" not in page.tags
    assert page.tags.count("img") >= len(FIGURES)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.loads)
    for heading in ("Data", "Fidelity", "Reconstruction", "Preserved signal", "Statistics"):
        assert heading in page.headings


def test_the_report_names_no_patient(demo: Project) -> None:
    content = demo.path("08_reporting", "report.html").read_text(encoding="utf-8")
    patients = pd.read_parquet(demo.path("05_model_input", "split.parquet")).index
    assert [patient for patient in patients if patient in content] == []


@pytest.fixture(scope="module")
def without_stages_and_deaths(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run the evaluation of the demo again, with clinical data that lack what two tasks need.

    Preprocessing comes out the same without them, so models and draws are those of the same patients.
    """
    folder = tmp_path_factory.mktemp("projects") / "without"
    environment = demo.environment
    project = demo.clone(
        folder,
        "01_raw/demo",
        f"05_model_input/{environment}",
        f"06_models/{environment}",
        f"07_model_output/{environment}",
        f"08_reporting/{environment}",
    )
    project.change_parameters(
        {"ingestion": {"clinical_columns": {"stage": None, "os_event": None}}}
    )
    project.run("ingestion", "preprocessing", "embedding")
    project.run("evaluation", tags=["signal", "rescue", "counterfactual"])
    project.run("report")
    return project


def test_what_cannot_be_judged_is_left_out_with_its_reason(
    without_stages_and_deaths: Project,
) -> None:
    folder: Path = without_stages_and_deaths.path("08_reporting")
    signal = pd.read_csv(folder / "fig2_signal.csv").set_index("task")
    assert signal.loc["stage", "note"].str.contains("no training patient has a stage").all()
    assert signal.loc["stage", "macro_f1_mean"].isna().all()
    assert signal.loc["cancer_type", "macro_f1_mean"].notna().all()
    for name in ("table2_rescue", "fig4_counterfactual"):
        table = pd.read_csv(folder / f"{name}.csv").set_index("task")
        assert table.loc[["stage"], "note"].str.contains("has a stage").all(), name
        assert (
            table.loc[["survival"], "note"].str.contains("survival of no training patient").all()
        ), name
    content = (folder / "report.html").read_text(encoding="utf-8")
    assert "no training patient has a stage" in content
    assert "the survival of no training patient is known" in content
