import base64
from html.parser import HTMLParser

import pandas as pd
import pytest
import yaml

from tcga_coherent.report.build import fill
from tcga_coherent.report.page import Provenance, render
from tcga_coherent.report.parts import Image, Parts
from tcga_coherent.report.views import FigureView, Section, TableView

VOID = {"meta", "img", "br", "link", "hr", "input"}
SECTIONS = [
    Section(
        "Data & more",
        "Patients.",
        (
            TableView("short", "Short <table>."),
            TableView("long", "Long table."),
            FigureView("drawn", "Bars of patients.", "Figure 1."),
            TableView("absent", "Absent table."),
        ),
        "--pipeline ingestion",
    ),
    Section("Privacy", "Attacks.", (TableView("attacks", "Attacks."),), "--pipeline privacy"),
]
PARAMETERS = {"evaluation": {"seed": 7, "levels": [0.5]}, "note": "a <b> & ${c}"}


class Page(HTMLParser):
    """Tags with their attributes, text, and a check that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.text += " "

    def handle_data(self, data):
        self.text += data

    def attributes(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text():
    tables = {
        "short": lambda: pd.DataFrame({"type": ["<script>alert(1)</script>"], "paper_n": [3]}),
        "long": lambda: pd.DataFrame({"n": range(41)}),
    }
    figures = {"drawn": lambda: Image("image/svg+xml", b"<svg/>")}
    times = pd.DataFrame(
        {"node": ["a.b"], "pipeline": ["a"], "seconds": [90.0], "finished": ["2026-01-01"]}
    )
    provenance = Provenance("demo", PARAMETERS, {"tcga_coherent": "9.9", "Python": "3.11"}, times)
    chapters = fill(SECTIONS, Parts("demo", tables, figures), {})
    return render(
        ["R² is 0.5."],
        chapters,
        ["table2 (task stage): no stage"],
        ["more"],
        provenance,
        "# Card\n<b>5</b>",
    )


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_every_tag_is_closed(page):
    assert page.open == []


def test_the_page_runs_nothing_and_loads_nothing_from_elsewhere(text, page):
    assert {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags} == set()
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:")), attributes
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [a["content"] for a in page.attributes("meta") if "http-equiv" in a]
    assert policy.startswith("default-src 'none'")


def test_text_of_tables_is_shown_and_never_run(text, page):
    assert "<script>" not in text
    assert "<script>alert(1)</script>" in page.text
    assert "Short <table>." in page.text


def test_links_of_the_contents_lead_somewhere(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    targets = [attributes["href"].removeprefix("#") for attributes in page.attributes("a")]
    assert len(ids) == len(set(ids))
    assert set(targets) <= set(ids)
    assert targets == [
        "summary",
        "data-&-more",
        "privacy",
        "release-card",
        "left-out",
        "provenance",
    ]


def test_figures_are_inside_the_page_and_described(page):
    (image,) = page.attributes("img")
    assert image["alt"] == "Bars of patients."
    assert base64.b64decode(image["src"].split(",")[1]) == b"<svg/>"


def test_the_papers_columns_have_a_header_of_their_own(page):
    (group,) = [a for a in page.attributes("th") if a.get("class") == "group"]
    assert group["scope"] == "colgroup"
    assert "paper, another cohort" in page.text


def test_long_tables_are_folded_and_short_ones_are_not(page):
    assert "Show the 41 rows" in page.text
    assert "Show the 1 rows" not in page.text


def test_what_is_absent_has_the_command_that_makes_it(page):
    words = " ".join(page.text.split())
    assert "Not there: table absent. To make it: kedro run --env demo --pipeline ingestion" in words
    assert "Not there: table attacks. To make it: kedro run --env demo --pipeline privacy" in words


def test_the_release_card_is_shown_as_text_or_the_command_that_writes_it(text, page):
    assert "# Card\n<b>5</b>" in page.text
    assert page.attributes("b") == []
    assert "--pipeline release_card" not in text


def test_settings_seeds_versions_times_and_what_was_left_out_are_told(page):
    words = " ".join(page.text.split())
    assert "R² is 0.5." in words
    assert "table2 (task stage): no stage" in words
    assert "Further tables lie beside this report: more.csv ." in words
    assert "tcga_coherent 9.9 Python 3.11" in words
    assert "evaluation.seed 7" in words
    # A minute and a half, rounded to even.
    assert "a 2 min" in words
    settings = page.text[page.text.index("evaluation:\n") :]
    assert yaml.safe_load(settings) == PARAMETERS


def test_a_report_before_any_run_is_a_page_too():
    times = pd.DataFrame(columns=["node", "pipeline", "seconds", "finished"])
    chapters = fill(SECTIONS, Parts("demo", {}, {}), {})
    provenance = Provenance("demo", PARAMETERS, {"tcga_coherent": "9.9"}, times)
    page = Page(render([], chapters, [], [], provenance, ""))
    assert page.open == []
    assert "the release card. To make it: kedro run --env demo --pipeline release_card" in page.text
    for sentence in ("no results to sum up", "Nothing that was run had to be", "No times were"):
        assert sentence in page.text
